using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>The agent's files below the sandbox's directory, called by the names that they would have in a real sandbox.</summary>
internal sealed class MockFiles(ISandboxFiles inner, MockPaths paths) : ISandboxFiles
{
    public async Task<FileContent> OpenReadAsync(string path, long offset, long length, CancellationToken cancellation)
    {
        FileContent content = await Renamed(inner.OpenReadAsync(Host(path), offset, length, cancellation)).ConfigureAwait(false);
        return content with { Entry = Sandbox(content.Entry) };
    }

    public Task<long> WriteAsync(string path, Stream content, uint? mode, CancellationToken cancellation) =>
        Renamed(inner.WriteAsync(Host(path), content, mode, cancellation));

    public async Task<FileEntry> StatAsync(string path, CancellationToken cancellation) =>
        Sandbox(await Renamed(inner.StatAsync(Host(path), cancellation)).ConfigureAwait(false));

    public async Task<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken cancellation) =>
        [.. (await Renamed(inner.ListAsync(Host(path), cancellation)).ConfigureAwait(false)).Select(Sandbox)];

    public Task DeleteAsync(string path, bool recursive, CancellationToken cancellation) =>
        Renamed(Done(inner.DeleteAsync(Host(path), recursive, cancellation)));

    public Task MoveAsync(string from, string to, CancellationToken cancellation) => Renamed(Done(inner.MoveAsync(Host(from), Host(to), cancellation)));

    public Task SetModeAsync(string path, uint mode, CancellationToken cancellation) => Renamed(Done(inner.SetModeAsync(Host(path), mode, cancellation)));

    public Task MakeDirectoryAsync(string path, uint mode, CancellationToken cancellation) =>
        Renamed(Done(inner.MakeDirectoryAsync(Host(path), mode, cancellation)));

    public async Task<IReadOnlyList<string>> GlobAsync(string pattern, CancellationToken cancellation) =>
        [.. (await Renamed(inner.GlobAsync(Host(pattern), cancellation)).ConfigureAwait(false)).Select(paths.ToSandbox)];

    private string Host(string path) => path.Length == 0 ? path : paths.ToHost(path);

    private FileEntry Sandbox(FileEntry entry) => entry with { Path = paths.ToSandbox(entry.Path) };

    private static async Task<bool> Done(Task task)
    {
        await task.ConfigureAwait(false);
        return true;
    }

    /// <summary>A problem tells of the path that the caller knows, not of the host's.</summary>
    private async Task<T> Renamed<T>(Task<T> task)
    {
        try
        {
            return await task.ConfigureAwait(false);
        }
        catch (StacyVMException problem) when (problem.Message.Contains(paths.ToHost("/"), StringComparison.Ordinal))
        {
            string title = problem.Problem.Title.Length == 0 ? "" : problem.Problem.Title + ": ";
            string detail = problem.Message.StartsWith(title, StringComparison.Ordinal) ? problem.Message[title.Length..] : problem.Message;
            throw new StacyVMException(problem.Kind, detail.Replace(paths.ToHost("/"), "", StringComparison.Ordinal), problem);
        }
    }
}
