using System.Globalization;
using System.Net;
using System.Text;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Sdk;

/// <remarks>
/// Files. Paths are absolute in the sandbox; relative ones begin at its working directory. Modes are octal text such as <c>0644</c>. Calls on
/// files throw <see cref="NotFoundException"/> for what is missing and <see cref="ServerException"/> of kind InvalidInput, Forbidden, Conflict
/// (a directory that is not empty) or StorageFull.
/// </remarks>
public sealed partial class Sandbox
{
    /// <summary>Writes text as UTF-8. Parents are created; the file appears whole or not at all.</summary>
    /// <param name="path">Where.</param>
    /// <param name="content">What.</param>
    /// <param name="mode">Null: that of the file that is replaced, 0644 for a new one.</param>
    /// <param name="cancellation">Leaves the old file.</param>
    public Task WriteFileAsync(string path, string content, string? mode = null, CancellationToken cancellation = default) =>
        WriteFileAsync(path, Encoding.UTF8.GetBytes(content), mode, cancellation);

    /// <summary>Writes bytes.</summary>
    /// <inheritdoc cref="WriteFileAsync(string, string, string, CancellationToken)"/>
    public Task WriteFileAsync(string path, ReadOnlyMemory<byte> content, string? mode = null, CancellationToken cancellation = default) =>
        PutAsync(path, ApiCall.Bytes(content), mode, cancellation);

    /// <summary>Writes what a stream holds from its position to its end, and closes it; nothing is buffered whole.</summary>
    /// <inheritdoc cref="WriteFileAsync(string, string, string, CancellationToken)"/>
    public Task WriteFileAsync(string path, Stream content, string? mode = null, CancellationToken cancellation = default) =>
        PutAsync(path, new StreamContent(content, 128 * 1024), mode, cancellation);

    /// <summary>Reads a file as UTF-8 text.</summary>
    public async Task<string> ReadFileAsync(string path, CancellationToken cancellation = default) =>
        Encoding.UTF8.GetString(await ReadFileBytesAsync(path, cancellation).ConfigureAwait(false));

    /// <summary>Reads a file.</summary>
    public async Task<byte[]> ReadFileBytesAsync(string path, CancellationToken cancellation = default)
    {
        using Stream body = await OpenReadAsync(path, cancellation: cancellation).ConfigureAwait(false);
        using var whole = new MemoryStream();
        await body.CopyToAsync(whole, 128 * 1024, cancellation).ConfigureAwait(false);
        return whole.ToArray();
    }

    /// <summary>Opens a file, or a part of it, for reading as it comes.</summary>
    /// <param name="path">Which.</param>
    /// <param name="offset">Bytes to skip.</param>
    /// <param name="length">Bytes to read at most; null: to the end.</param>
    /// <param name="cancellation">Gives up opening.</param>
    public async Task<Stream> OpenReadAsync(string path, long offset = 0, long? length = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (length is <= 0)
            return Stream.Null;
        ApiCall call = Get("/files?path=" + Uri.EscapeDataString(path));
        bool part = offset > 0 || length is not null;
        if (part)
        {
            string end = length is { } count ? (offset + count - 1).ToString(CultureInfo.InvariantCulture) : "";
            call = call with { Headers = [new("Range", $"bytes={offset}-{end}")], AlsoAccepted = HttpStatusCode.RequestedRangeNotSatisfiable };
        }
        HttpResponseMessage response = await _connection.SendAsync(call, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            response.Dispose();
            return Stream.Null;
        }
        Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var stream = new WatchedStream(body, response, _connection);
        // A server or a proxy that does not know ranges sends the whole file.
        return part && response.StatusCode == HttpStatusCode.OK
            ? await PartStream.OpenAsync(stream, offset, length, cancellation).ConfigureAwait(false)
            : stream;
    }

    /// <summary>Entries of a directory, sorted by name.</summary>
    public async Task<IReadOnlyList<FileInfo>> ListFilesAsync(string path = "/", CancellationToken cancellation = default) =>
        await _connection.GetAsync(
            $"{_path}/files/list?path={Uri.EscapeDataString(path)}", RestJson.Default.ListFileInfo, Id, cancellation).ConfigureAwait(false);

    /// <summary>One entry.</summary>
    public Task<FileInfo> StatFileAsync(string path, CancellationToken cancellation = default) =>
        _connection.GetAsync($"{_path}/files/stat?path={Uri.EscapeDataString(path)}", RestJson.Default.FileInfo, Id, cancellation);

    /// <summary>Absolute paths that match, sorted; <c>**</c> crosses directories.</summary>
    public async Task<IReadOnlyList<string>> GlobFilesAsync(string pattern, CancellationToken cancellation = default) =>
        await _connection.GetAsync(
            $"{_path}/files/glob?pattern={Uri.EscapeDataString(pattern)}", RestJson.Default.ListString, Id, cancellation).ConfigureAwait(false);

    /// <param name="path">Which.</param>
    /// <param name="recursive">Also a directory that is not empty.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task DeleteFileAsync(string path, bool recursive = false, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            new ApiCall(HttpMethod.Delete, $"{_path}/files?path={Uri.EscapeDataString(path)}{(recursive ? "&recursive=true" : "")}") { SandboxId = Id },
            cancellation);

    /// <summary>Moves a file or directory; parents of the new path are created.</summary>
    public Task MoveFileAsync(string oldPath, string newPath, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            Post("/files/move") with { Content = ApiCall.Json(new MoveFileBody { OldPath = oldPath, NewPath = newPath }, RestJson.Default.MoveFileBody) },
            cancellation);

    public Task ChmodFileAsync(string path, string mode, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            Post("/files/chmod") with { Content = ApiCall.Json(new ChmodFileBody { Path = path, Mode = mode }, RestJson.Default.ChmodFileBody) },
            cancellation);

    /// <summary>Makes a directory and its parents. One that is there already is not an error.</summary>
    /// <param name="path">Which.</param>
    /// <param name="mode">Null: 0755.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task MakeDirectoryAsync(string path, string? mode = null, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            Post("/files/mkdir") with { Content = ApiCall.Json(new MakeDirectoryBody { Path = path, Mode = mode }, RestJson.Default.MakeDirectoryBody) },
            cancellation);

    /// <summary>Copies a local directory into the sandbox, with permission bits. Symbolic links are skipped.</summary>
    /// <param name="localPath">Its content is copied, not itself.</param>
    /// <param name="remotePath">Created when it does not exist; what it holds already stays.</param>
    /// <param name="progress">Each path in the sandbox as it is done.</param>
    /// <param name="cancellation">Stops; what is copied stays.</param>
    public Task<DirectoryCopy> UploadDirectoryAsync(string localPath, string remotePath, IProgress<string>? progress = null, CancellationToken cancellation = default) =>
        new DirectoryTransfer(this, progress).UploadAsync(localPath, remotePath, cancellation);

    /// <summary>Copies a directory of the sandbox to this machine, with permission bits. Symbolic links and special files are skipped.</summary>
    /// <param name="remotePath">Its content is copied, not itself.</param>
    /// <param name="localPath">Created when it does not exist; what it holds already stays. Nothing is ever written outside it.</param>
    /// <param name="progress">Each local path as it is done.</param>
    /// <param name="cancellation">Stops; what is copied stays.</param>
    public Task<DirectoryCopy> DownloadDirectoryAsync(string remotePath, string localPath, IProgress<string>? progress = null, CancellationToken cancellation = default) =>
        new DirectoryTransfer(this, progress).DownloadAsync(remotePath, localPath, cancellation);

    private Task PutAsync(string path, HttpContent content, string? mode, CancellationToken cancellation)
    {
        string query = $"{_path}/files?path={Uri.EscapeDataString(path)}{(mode is null ? "" : "&mode=" + Uri.EscapeDataString(mode))}";
        return _connection.CallAsync(new ApiCall(HttpMethod.Put, query) { SandboxId = Id, Content = content, Unhurried = true }, cancellation);
    }
}
