using System.Globalization;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Files in sandboxes: <see cref="ISandboxFiles"/> of the sandbox with an id, with events, audit rows and counters around it.</summary>
internal sealed class SandboxFileAccess(SandboxDirectory sandboxes, OperationJournal journal)
{
    /// <inheritdoc cref="ISandboxFiles.OpenReadAsync"/>
    public Task<FileContent> OpenReadAsync(string id, string path, long offset, long length, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_read", "file.read", id, path, caller, cancellation,
        files => files.OpenReadAsync(path, offset, length, cancellation),
        content => Number("bytes", content.Entry.Size), "file.read");

    /// <inheritdoc cref="ISandboxFiles.WriteAsync"/>
    public Task<long> WriteAsync(string id, string path, Stream content, uint? mode, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_write", "file.write", id, path, caller, cancellation,
        files => files.WriteAsync(path, content, mode, cancellation),
        bytes => $"{Number("bytes", bytes)} mode={(mode is { } bits ? Octal(bits) : "kept")}", "file.written");

    /// <inheritdoc cref="ISandboxFiles.StatAsync"/>
    public Task<FileEntry> StatAsync(string id, string path, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_stat", "file.stat", id, path, caller, cancellation, files => files.StatAsync(path, cancellation), _ => "");

    /// <inheritdoc cref="ISandboxFiles.ListAsync"/>
    public Task<IReadOnlyList<FileEntry>> ListAsync(string id, string path, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_list", "file.list", id, path, caller, cancellation, files => files.ListAsync(path, cancellation), entries => Number("count", entries.Count));

    /// <inheritdoc cref="ISandboxFiles.DeleteAsync"/>
    public Task DeleteAsync(string id, string path, bool recursive, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_delete", "file.delete", id, path, caller, cancellation,
        files => Done(files.DeleteAsync(path, recursive, cancellation)), _ => recursive ? "recursive=true" : "recursive=false");

    /// <inheritdoc cref="ISandboxFiles.MoveAsync"/>
    public Task MoveAsync(string id, string from, string to, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_move", "file.move", id, $"{from} -> {to}", caller, cancellation, files => Done(files.MoveAsync(from, to, cancellation)), _ => "");

    /// <inheritdoc cref="ISandboxFiles.SetModeAsync"/>
    public Task SetModeAsync(string id, string path, uint mode, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_chmod", "file.chmod", id, path, caller, cancellation, files => Done(files.SetModeAsync(path, mode, cancellation)), _ => $"mode={Octal(mode)}");

    /// <inheritdoc cref="ISandboxFiles.MakeDirectoryAsync"/>
    public Task MakeDirectoryAsync(string id, string path, uint mode, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_mkdir", "file.mkdir", id, path, caller, cancellation, files => Done(files.MakeDirectoryAsync(path, mode, cancellation)), _ => $"mode={Octal(mode)}");

    /// <inheritdoc cref="ISandboxFiles.GlobAsync"/>
    public Task<IReadOnlyList<string>> GlobAsync(string id, string pattern, Caller caller, CancellationToken cancellation) => DoAsync(
        "file_glob", "file.glob", id, pattern, caller, cancellation, files => files.GlobAsync(pattern, cancellation), matches => Number("count", matches.Count));

    private async Task<T> DoAsync<T>(
        string operation, string action, string id, string resource, Caller caller, CancellationToken cancellation,
        Func<ISandboxFiles, Task<T>> work, Func<T, string> detail, string? announce = null)
    {
        long start = journal.Start();
        ISandbox sandbox = await sandboxes.LivingAsync(id, caller, cancellation);
        SandboxRecord record = sandboxes.Record(id, caller);
        T result;
        try
        {
            result = await work(sandbox.Files);
        }
        catch (Exception e)
        {
            journal.Count(operation, record.Provider, start, e);
            journal.Audit(caller, action, record, resource, e, "");
            if (e is StacyVMException { Kind: ProblemKind.SandboxGone })
                sandboxes.Doubt(id);
            // A missing file is an answer and no event.
            if (e is StacyVMException { Kind: ProblemKind.SandboxGone or ProblemKind.StorageFull or ProblemKind.Internal })
                journal.PublishFailure(operation, record, e);
            throw;
        }
        journal.Count(operation, record.Provider, start, null);
        journal.Audit(caller, action, record, resource, null, detail(result));
        if (announce is not null)
            journal.Publish(announce, record);
        return result;
    }

    private static async Task<bool> Done(Task work)
    {
        await work;
        return true;
    }

    private static string Number(string name, long value) => string.Create(CultureInfo.InvariantCulture, $"{name}={value}");

    private static string Octal(uint mode) => Convert.ToString(mode, 8).PadLeft(4, '0');
}
