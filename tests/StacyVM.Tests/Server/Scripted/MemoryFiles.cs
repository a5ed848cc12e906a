using System.Collections.Concurrent;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Tests.Server.Scripted;

/// <summary>Files in memory; <c>/dir</c> is a directory.</summary>
internal sealed class MemoryFiles : ISandboxFiles
{
    public ConcurrentDictionary<string, byte[]> Content { get; } = new();

    public ConcurrentDictionary<string, uint> Modes { get; } = new();

    /// <summary>Completes when a write that has begun is over, whole or not.</summary>
    public TaskCompletionSource WriteEnded { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<FileContent> OpenReadAsync(string path, long offset, long length, CancellationToken cancellation)
    {
        FileEntry entry = Entry(path);
        if (entry.Kind == FileKind.Directory)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{path} is a directory");
        byte[] all = Content[path];
        var stream = new MemoryStream(all, (int)offset, (int)Math.Min(length, all.Length - offset), writable: false);
        return Task.FromResult(new FileContent(entry, stream));
    }

    public async Task<long> WriteAsync(string path, Stream content, uint? mode, CancellationToken cancellation)
    {
        try
        {
            var copy = new MemoryStream();
            await content.CopyToAsync(copy, cancellation);
            Content[path] = copy.ToArray();
            Modes[path] = mode ?? Modes.GetValueOrDefault(path, 420u);
            return copy.Length;
        }
        finally
        {
            WriteEnded.TrySetResult();
        }
    }

    public Task<FileEntry> StatAsync(string path, CancellationToken cancellation) => Task.FromResult(Entry(path));

    public Task<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<FileEntry>>([.. Content.Keys.Where(name => name.StartsWith(path, StringComparison.Ordinal)).Order().Select(Entry)]);

    public Task DeleteAsync(string path, bool recursive, CancellationToken cancellation)
    {
        Entry(path);
        if (path == "/dir" && !recursive)
            throw new StacyVMException(ProblemKind.Conflict, "/dir is not empty");
        Content.TryRemove(path, out _);
        return Task.CompletedTask;
    }

    public Task MoveAsync(string from, string to, CancellationToken cancellation)
    {
        Entry(from);
        Content.TryRemove(from, out byte[]? data);
        Content[to] = data!;
        return Task.CompletedTask;
    }

    public Task SetModeAsync(string path, uint mode, CancellationToken cancellation)
    {
        Entry(path);
        Modes[path] = mode;
        return Task.CompletedTask;
    }

    public Task MakeDirectoryAsync(string path, uint mode, CancellationToken cancellation)
    {
        Modes[path] = mode;
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> GlobAsync(string pattern, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<string>>([.. Content.Keys.Where(name => name.EndsWith(pattern.TrimStart('*'), StringComparison.Ordinal)).Order()]);

    private FileEntry Entry(string path)
    {
        if (path is "/dir" or "/")
            return new(path, FileKind.Directory, 0, 0x1ED, 1_700_000_000);
        return Content.TryGetValue(path, out byte[]? data)
            ? new(path, FileKind.File, data.Length, Modes.GetValueOrDefault(path, 420u), 1_700_000_000)
            : throw new StacyVMException(ProblemKind.NotFound, path);
    }
}
