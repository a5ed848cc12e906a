using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>The files of a sandbox, by the contract for backends.</summary>
internal sealed class CustomFiles(CustomSandbox sandbox, CustomBackend backend) : ISandboxFiles
{
    /// <summary>What is smaller goes with its length, as every backend expects; what is larger, in chunks.</summary>
    private const int Small = 1024 * 1024;

    public async Task<FileContent> OpenReadAsync(string path, long offset, long length, CancellationToken cancellation)
    {
        FileEntry entry = await StatAsync(path, cancellation).ConfigureAwait(false);
        if (entry.Kind == FileKind.Directory)
            throw Invalid($"{path} is a directory");
        if (length == 0 || (offset > 0 && offset >= entry.Size))
            return new FileContent(entry, Stream.Null);
        bool part = offset > 0 || length < entry.Size - offset;
        long last = length >= long.MaxValue - offset ? long.MaxValue : offset + length - 1;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(backend.Patience);
        try
        {
            HttpResponseMessage answer = await backend.OpenAsync(
                HttpMethod.Get, CustomRequests.Query("files", sandbox.Remote, "path", path), null,
                request => request.Headers.Range = part ? new RangeHeaderValue(offset, last == long.MaxValue ? null : last) : null, bound.Token).ConfigureAwait(false);
            // A backend need not know ranges: then it sends all.
            bool ranged = answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentRange?.From == offset;
            Stream body = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            return new FileContent(entry, new RemoteContent(answer, body, ranged ? 0 : offset, length, backend.Patience, backend.Unreachable));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw backend.Silent();
        }
        catch (CustomRefusal refusal) when (refusal.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return new FileContent(entry, Stream.Null);
        }
        catch (CustomRefusal refusal)
        {
            throw await sandbox.ExplainAsync(refusal, path, cancellation).ConfigureAwait(false);
        }
    }

    public async Task<long> WriteAsync(string path, Stream content, uint? mode, CancellationToken cancellation)
    {
        Check(path);
        // 1. The first piece tells how it has to go.
        byte[] start = new byte[Small];
        int count = await content.ReadAtLeastAsync(start, Small, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        bool whole = count < Small;
        bool base64 = (!whole || !Utf8.IsValid(start.AsSpan(0, count))) && await backend.TakesBase64Async(cancellation).ConfigureAwait(false);
        // 2.
        using var body = new FileBody(sandbox.Remote, path, mode, start.AsMemory(0, count), whole ? Stream.Null : content, base64);
        try
        {
            if (whole)
                await body.LoadIntoBufferAsync(cancellation).ConfigureAwait(false);
            using HttpResponseMessage answer = await backend.OpenAsync(HttpMethod.Post, "files", body, null, cancellation).ConfigureAwait(false);
            return body.Written;
        }
        catch (CustomRefusal refusal)
        {
            throw await sandbox.ExplainAsync(refusal, path, cancellation).ConfigureAwait(false);
        }
        catch (Exception) when (body.Failure is { SourceException: DecoderFallbackException cause })
        {
            throw new StacyVMException(
                ProblemKind.Unsupported, $"sandbox {sandbox.Id}: {path}: the content is not UTF-8 text, and {backend.Who} does not say that it takes more (\"features\":[\"base64\"] in its /health)", cause);
        }
        catch (Exception) when (body.Failure is { SourceException: not IOException and not HttpRequestException } failure)
        {
            failure.Throw();
            throw;
        }
    }

    public Task<FileEntry> StatAsync(string path, CancellationToken cancellation) => AskAsync("files/stat", "path", Check(path), root =>
        root.ValueKind == JsonValueKind.Object ? Entry(path, root, isListed: false) : throw Wrong("a file's description"), cancellation);

    public Task<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken cancellation) => AskAsync<IReadOnlyList<FileEntry>>("files/list", "path", Check(path), root =>
    {
        // Go writes an empty list as null.
        if (root.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
            throw Wrong("a list of files");
        return [.. root.Items()
            .Select(item => (item, Told: item.Text("path") ?? item.Text("name") ?? ""))
            .Where(one => one.Told.Trim('/').Length > 0 && !one.Told.Contains('\0'))
            .Select(one => Entry(RemotePath.Child(path, one.Told), one.item, isListed: true))
            .OrderBy(entry => entry.Path, StringComparer.Ordinal)];
    }, cancellation);

    public Task DeleteAsync(string path, bool recursive, CancellationToken cancellation) => TellAsync(HttpMethod.Delete, "files", Check(path), json =>
    {
        json.WriteString("path", path);
        json.WriteBoolean("recursive", recursive);
    }, cancellation);

    public Task MoveAsync(string from, string to, CancellationToken cancellation)
    {
        Check(to);
        return TellAsync(HttpMethod.Post, "files/move", Check(from), json =>
        {
            json.WriteString("old_path", from);
            json.WriteString("new_path", to);
        }, cancellation);
    }

    public Task SetModeAsync(string path, uint mode, CancellationToken cancellation) => TellAsync(HttpMethod.Post, "files/chmod", Check(path), json =>
    {
        json.WriteString("path", path);
        json.WriteString("mode", CustomRequests.Octal(mode));
    }, cancellation);

    /// <summary>The contract makes no directories, but writing a file makes its parents: one is written there and deleted.</summary>
    public async Task MakeDirectoryAsync(string path, uint mode, CancellationToken cancellation)
    {
        Check(path);
        try
        {
            if ((await StatAsync(path, cancellation).ConfigureAwait(false)).Kind != FileKind.Directory)
                throw new StacyVMException(ProblemKind.Conflict, $"sandbox {sandbox.Id}: {path} exists and is no directory");
            return;
        }
        catch (StacyVMException problem) when (problem.Kind == ProblemKind.NotFound)
        {
            // It is to be made.
        }
        string inside = $"{path.TrimEnd('/')}/.stacyvm-{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        await WriteAsync(inside, Stream.Null, null, cancellation).ConfigureAwait(false);
        await DeleteAsync(inside, recursive: false, CancellationToken.None).ConfigureAwait(false);
        await SetModeAsync(path, mode, cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<string>> GlobAsync(string pattern, CancellationToken cancellation) => AskAsync<IReadOnlyList<string>>("files/glob", "pattern", Check(pattern), root =>
        root.ValueKind is JsonValueKind.Array or JsonValueKind.Null
            ? [.. root.Items().Where(item => item.ValueKind == JsonValueKind.String).Select(RemoteJson.TextOf).OfType<string>().Order(StringComparer.Ordinal)]
            : throw Wrong("a list of paths"), cancellation);

    private static FileEntry Entry(string path, JsonElement told, bool isListed)
    {
        string mode = told.Text("mode") ?? told.Number("mode")?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "";
        bool directory = told.Flag("is_dir") || mode.StartsWith('d');
        FileKind kind = directory ? FileKind.Directory : isListed && mode.Length >= 10 && mode[0] is 'l' or 'L' ? FileKind.SymbolicLink : FileKind.File;
        return new FileEntry(
            path, kind, kind == FileKind.File ? Math.Max(0, told.Number("size") ?? 0) : 0,
            RemotePath.Mode(mode, directory ? 0x1EDu : 0x1A4u), told.Moment("mod_time"));
    }

    private async Task<T> AskAsync<T>(string route, string name, string value, Func<JsonElement, T> read, CancellationToken cancellation)
    {
        try
        {
            using JsonDocument answer = await backend.AskAsync(CustomRequests.Query(route, sandbox.Remote, name, value), cancellation).ConfigureAwait(false);
            return read(answer.RootElement);
        }
        catch (CustomRefusal refusal)
        {
            throw await sandbox.ExplainAsync(refusal, value, cancellation).ConfigureAwait(false);
        }
    }

    private async Task TellAsync(HttpMethod method, string route, string path, Action<Utf8JsonWriter> body, CancellationToken cancellation)
    {
        try
        {
            await backend.TellAsync(method, route, json =>
            {
                json.WriteString("sandbox_id", sandbox.Remote);
                body(json);
            }, cancellation).ConfigureAwait(false);
        }
        catch (CustomRefusal refusal)
        {
            throw await sandbox.ExplainAsync(refusal, path, cancellation).ConfigureAwait(false);
        }
    }

    private string Check(string path)
    {
        sandbox.ThrowIfLost();
        return RemotePath.Check(sandbox.Id, path);
    }

    private StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, $"sandbox {sandbox.Id}: {detail}");

    private StacyVMException Wrong(string wanted) => new(ProblemKind.ProviderUnavailable, $"{backend.Who} answered something else than {wanted}");
}
