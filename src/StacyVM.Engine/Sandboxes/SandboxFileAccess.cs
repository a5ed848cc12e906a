using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Files in sandboxes: <see cref="ISandboxFiles"/> of the sandbox with an id, with events, audit rows and counters around it.</summary>
internal sealed class SandboxFileAccess
{
    /// <inheritdoc cref="ISandboxFiles.OpenReadAsync"/>
    public Task<FileContent> OpenReadAsync(string id, string path, long offset, long length, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.WriteAsync"/>
    public Task<long> WriteAsync(string id, string path, Stream content, uint? mode, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.StatAsync"/>
    public Task<FileEntry> StatAsync(string id, string path, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.ListAsync"/>
    public Task<IReadOnlyList<FileEntry>> ListAsync(string id, string path, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.DeleteAsync"/>
    public Task DeleteAsync(string id, string path, bool recursive, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.MoveAsync"/>
    public Task MoveAsync(string id, string from, string to, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.SetModeAsync"/>
    public Task SetModeAsync(string id, string path, uint mode, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.MakeDirectoryAsync"/>
    public Task MakeDirectoryAsync(string id, string path, uint mode, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <inheritdoc cref="ISandboxFiles.GlobAsync"/>
    public Task<IReadOnlyList<string>> GlobAsync(string id, string pattern, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();
}
