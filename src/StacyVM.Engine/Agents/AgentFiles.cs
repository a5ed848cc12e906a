using System.Buffers;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>The files of a sandbox, through its agent. No path is ever resolved on the host.</summary>
internal sealed class AgentFiles(AgentOperations operations) : ISandboxFiles
{
    private const int CopyBlock = AgentProtocol.MaxPayload;
    private static readonly TimeSpan UndoBound = TimeSpan.FromSeconds(5);

    public async Task<FileContent> OpenReadAsync(string path, long offset, long length, CancellationToken cancellation)
    {
        Check(path);
        if (offset < 0 || length < 0)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {operations.SandboxId}: {path}: offset and length cannot be negative");
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.ReadFile);
        new ReadFileRequest(path, offset, length).Write(request);
        AgentChannel channel = connection.Open(request);
        try
        {
            FileEntry entry = operations.Decode(await channel.ReplyAsync(cancellation).ConfigureAwait(false), FileEntry.Read);
            return new FileContent(entry, new AgentReadStream(channel, operations, path));
        }
        catch (Exception e)
        {
            channel.Drop();
            if (e is AgentRefusal)
                throw operations.Translate(e, path);
            throw;
        }
    }

    public async Task<long> WriteAsync(string path, Stream content, uint? mode, CancellationToken cancellation)
    {
        Check(path);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.WriteFile);
        new WriteFileRequest(path, mode ?? WriteFileRequest.KeepMode, Append: false).Write(request);
        AgentChannel channel = connection.Open(request);
        byte[] block = ArrayPool<byte>.Shared.Rent(CopyBlock);
        bool whole = false;
        try
        {
            bool accepted = true;
            while (accepted)
            {
                int count = await content.ReadAsync(block.AsMemory(0, CopyBlock), cancellation).ConfigureAwait(false);
                if (count == 0)
                    break;
                accepted = await channel.WriteAsync(block.AsMemory(0, count), cancellation).ConfigureAwait(false);
            }
            if (accepted)
                channel.End();
            byte[] body = await channel.BodyAsync(cancellation).ConfigureAwait(false);
            whole = true;
            return operations.Decode(body, WriteFileResult.Read).Bytes;
        }
        catch (AgentRefusal refusal)
        {
            throw operations.Translate(refusal, path);
        }
        finally
        {
            // Half a file is the agent's to remove; wait for it, so that the caller finds the old one alone.
            if (!whole)
                await channel.CancelAsync(UndoBound).ConfigureAwait(false);
            channel.Drop();
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    public async Task<FileEntry> StatAsync(string path, CancellationToken cancellation) =>
        operations.Decode(await AskAsync(ChannelKind.Stat, path, cancellation).ConfigureAwait(false), FileEntry.Read);

    public async Task<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken cancellation)
    {
        Check(path);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        return await operations.ListAsync(connection.Open(AgentRequest.Path(ChannelKind.List, path)), path, FileEntry.Read, cancellation).ConfigureAwait(false);
    }

    public async Task DeleteAsync(string path, bool recursive, CancellationToken cancellation)
    {
        Check(path);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.Delete);
        new DeleteRequest(path, recursive).Write(request);
        await operations.FinishAsync(connection.Open(request), path, cancellation).ConfigureAwait(false);
    }

    public async Task MoveAsync(string from, string to, CancellationToken cancellation)
    {
        Check(from);
        Check(to);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.Move);
        new MoveRequest(from, to).Write(request);
        await operations.FinishAsync(connection.Open(request), from, cancellation).ConfigureAwait(false);
    }

    public async Task SetModeAsync(string path, uint mode, CancellationToken cancellation)
    {
        Check(path);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.Chmod);
        new ChmodRequest(path, mode).Write(request);
        await operations.FinishAsync(connection.Open(request), path, cancellation).ConfigureAwait(false);
    }

    public async Task MakeDirectoryAsync(string path, uint mode, CancellationToken cancellation)
    {
        Check(path);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.MakeDirectory);
        new MakeDirectoryRequest(path, mode).Write(request);
        await operations.FinishAsync(connection.Open(request), path, cancellation).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<string>> GlobAsync(string pattern, CancellationToken cancellation)
    {
        Check(pattern);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.Glob);
        new GlobRequest(pattern, 0).Write(request);
        return await operations.ListAsync(connection.Open(request), pattern, static (ref RecordReader reader) => reader.String(), cancellation).ConfigureAwait(false);
    }

    private async Task<byte[]> AskAsync(ChannelKind kind, string path, CancellationToken cancellation)
    {
        Check(path);
        AgentConnection connection = await operations.ConnectionAsync(cancellation).ConfigureAwait(false);
        return await operations.FinishAsync(connection.Open(AgentRequest.Path(kind, path)), path, cancellation).ConfigureAwait(false);
    }

    /// <summary>What no file system can hold is said here, without asking the agent.</summary>
    private void Check(string path)
    {
        if (path.Length == 0)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {operations.SandboxId}: the path is empty");
        if (path.Contains('\0'))
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {operations.SandboxId}: the path holds a NUL byte");
        if (path.Length > AgentProtocol.MaxPayload / 8)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {operations.SandboxId}: the path is {path.Length} characters long");
    }
}
