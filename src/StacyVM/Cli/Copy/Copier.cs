using StacyVM.Cli.Terminal;
using StacyVM.Protocol.Problems;
using StacyVM.Sdk;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Cli.Copy;

/// <summary>
/// Copies between this machine and sandboxes by the rules of <c>cp -r</c>: into the target when it is a directory, else to the target's own
/// name; a source that ends in <c>/.</c> stands for its content.
/// </summary>
internal sealed class Copier(StacyClient client)
{
    private const int BufferBytes = 128 * 1024;

    public Task<CopyResult> CopyAsync(CopyPath source, CopyPath target, CancellationToken cancellation) => (source.IsRemote, target.IsRemote) switch
    {
        (false, true) => UploadAsync(source, target, client.Refer(target.SandboxId!), cancellation),
        (true, false) => DownloadAsync(source, client.Refer(source.SandboxId!), target, cancellation),
        (true, true) => BetweenAsync(source, target, cancellation),
        _ => throw new UsageException("one of the two must be in a sandbox, as <id>:<path>"),
    };

    private static async Task<CopyResult> UploadAsync(CopyPath source, CopyPath target, Sandbox sandbox, CancellationToken cancellation)
    {
        if (source.IsStream)
        {
            using Stream input = StandardInput.Open();
            return await WriteAsync(sandbox, target, input, mode: null, cancellation);
        }
        if (Directory.Exists(source.Path))
        {
            string directory = EndsInDot(source.Path) ? target.Path : (await IntoAsync(sandbox, target, FullName(source.Path), cancellation)).Path;
            DirectoryCopy copy = await sandbox.UploadDirectoryAsync(source.Path, directory, cancellation: cancellation);
            return new CopyResult(copy.Files, copy.Bytes, copy.Skipped);
        }
        if (!File.Exists(source.Path))
            throw new StacyVMException(ProblemKind.NotFound, $"no such file or directory on this machine: {source.Path}");
        using var file = new FileStream(source.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        string mode = OperatingSystem.IsWindows() ? "0644" : "0" + Convert.ToString((int)File.GetUnixFileMode(source.Path) & 0x1FF, 8).PadLeft(3, '0');
        CopyPath place = await IntoAsync(sandbox, target, source.Name, cancellation);
        return await WriteAsync(sandbox, place, file, mode, cancellation);
    }

    private static async Task<CopyResult> DownloadAsync(CopyPath source, Sandbox sandbox, CopyPath target, CancellationToken cancellation)
    {
        if (target.IsStream)
        {
            using Stream content = await sandbox.OpenReadAsync(source.Path, cancellation: cancellation);
            var counted = new CountingStream(content);
            using Stream output = StandardStream.Output();
            await counted.CopyToAsync(output, BufferBytes, cancellation);
            return CopyResult.One(counted.Count);
        }
        FileInfo entry = await sandbox.StatFileAsync(source.Path, cancellation);
        // The name comes from what the user wrote, not from what the sandbox answers.
        string name = source.Name.Length > 0 ? source.Name : sandbox.Id;
        bool into = Directory.Exists(target.Path) && !(entry.IsDir && EndsInDot(source.Path));
        string local = into ? Path.Combine(target.Path, name) : target.Path;
        if (entry.IsDir)
        {
            DirectoryCopy copy = await sandbox.DownloadDirectoryAsync(source.Path, local, cancellation: cancellation);
            return new CopyResult(copy.Files, copy.Bytes, copy.Skipped);
        }
        if (target.Path.EndsWith('/') && !into)
            throw new StacyVMException(ProblemKind.NotFound, $"no such directory on this machine: {target.Path}");
        using Stream body = await sandbox.OpenReadAsync(source.Path, cancellation: cancellation);
        using var file = new FileStream(local, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
        await body.CopyToAsync(file, BufferBytes, cancellation);
        if (!OperatingSystem.IsWindows() && int.TryParse(entry.Mode, out _))
            File.SetUnixFileMode(local, (UnixFileMode)(Convert.ToInt32(entry.Mode, 8) & 0x1FF));
        return CopyResult.One(file.Length);
    }

    private async Task<CopyResult> BetweenAsync(CopyPath source, CopyPath target, CancellationToken cancellation)
    {
        Sandbox from = client.Refer(source.SandboxId!);
        Sandbox to = client.Refer(target.SandboxId!);
        FileInfo entry = await from.StatFileAsync(source.Path, cancellation);
        if (entry.IsDir)
            throw new UsageException("a directory is copied between sandboxes by way of this machine: copy it here first, then there");
        using Stream content = await from.OpenReadAsync(source.Path, cancellation: cancellation);
        CopyPath place = await IntoAsync(to, target, source.Name, cancellation);
        return await WriteAsync(to, place, content, entry.Mode, cancellation);
    }

    // Counted on the way: a request closes the stream that it has sent.
    private static async Task<CopyResult> WriteAsync(Sandbox sandbox, CopyPath target, Stream content, string? mode, CancellationToken cancellation)
    {
        var counted = new CountingStream(content);
        await sandbox.WriteFileAsync(target.Path, counted, mode, cancellation);
        return CopyResult.One(counted.Count);
    }

    /// <summary>The target itself, or the entry of that name in it when it is a directory.</summary>
    private static async Task<CopyPath> IntoAsync(Sandbox sandbox, CopyPath target, string name, CancellationToken cancellation)
    {
        if (target.Path.EndsWith('/'))
            return target.Child(name);
        try
        {
            return (await sandbox.StatFileAsync(target.Path, cancellation)).IsDir ? target.Child(name) : target;
        }
        catch (NotFoundException fault) when (fault is not SandboxNotFoundException)
        {
            return target;
        }
    }

    private static bool EndsInDot(string path) => path is "." or "./" || path.EndsWith("/.", StringComparison.Ordinal);

    private static string FullName(string directory) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
}
