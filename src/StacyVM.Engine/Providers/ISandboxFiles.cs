using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers;

/// <summary>
/// The files of a sandbox. Paths are resolved inside it, never on the host. Failures: <see cref="Protocol.Problems.ProblemKind.NotFound"/>
/// for what is missing, <see cref="Protocol.Problems.ProblemKind.InvalidInput"/> for a bad path or a directory where a file is needed and the reverse,
/// <see cref="Protocol.Problems.ProblemKind.Forbidden"/> where the sandbox's user may not, <see cref="Protocol.Problems.ProblemKind.Conflict"/> for a directory that is not empty,
/// <see cref="Protocol.Problems.ProblemKind.StorageFull"/>.
/// </summary>
internal interface ISandboxFiles
{
    /// <summary>Opens a file; the entry is known before the first byte. The stream cannot seek.</summary>
    Task<FileContent> OpenReadAsync(string path, long offset, long length, CancellationToken cancellation);

    /// <summary>Writes a file from a stream: it appears whole, or not at all.</summary>
    /// <param name="path">Parents are created.</param>
    /// <param name="content">Read to its end.</param>
    /// <param name="mode">Permission bits, or null to keep those of the file that is replaced (0644 for a new one).</param>
    /// <param name="cancellation">Abandons the write and leaves the old file.</param>
    /// <returns>Bytes written.</returns>
    Task<long> WriteAsync(string path, Stream content, uint? mode, CancellationToken cancellation);

    Task<FileEntry> StatAsync(string path, CancellationToken cancellation);

    /// <summary>Entries of a directory, sorted by name.</summary>
    Task<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken cancellation);

    Task DeleteAsync(string path, bool recursive, CancellationToken cancellation);

    Task MoveAsync(string from, string to, CancellationToken cancellation);

    Task SetModeAsync(string path, uint mode, CancellationToken cancellation);

    Task MakeDirectoryAsync(string path, uint mode, CancellationToken cancellation);

    /// <summary>Absolute paths that match, sorted; <c>**</c> crosses directories.</summary>
    Task<IReadOnlyList<string>> GlobAsync(string pattern, CancellationToken cancellation);
}

/// <summary>An open file.</summary>
internal sealed record FileContent(FileEntry Entry, Stream Stream) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
