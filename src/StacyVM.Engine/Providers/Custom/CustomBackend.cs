using System.Net;
using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>
/// The calls of the HTTP contract for backends. Each has a bound in time and size; what the backend answers is turned into a problem of the
/// table in one place.
/// </summary>
internal sealed class CustomBackend : IDisposable
{
    private const int LargestDocument = 64 * 1024 * 1024;

    private readonly HttpClient _http;
    private readonly Uri _base;
    private readonly string _key;
    private readonly TimeSpan _timeout;
    private bool? _takesBase64;

    public CustomBackend(CustomOptions options, HttpMessageHandler? handler = null)
    {
        _http = RemoteHttp.Client(handler);
        // One slash at the end, so that a path of its own is kept.
        _base = new Uri(options.BaseUrl.TrimEnd('/') + "/");
        _key = options.ApiKey;
        _timeout = options.Timeout > TimeSpan.Zero ? options.Timeout : TimeSpan.FromSeconds(60);
        Who = $"the backend {options.Name}";
    }

    /// <summary>How messages call it. The address may be known to operators alone.</summary>
    public string Who { get; }

    /// <summary>One step of a transfer takes at most so long.</summary>
    public TimeSpan Patience => _timeout;

    /// <summary>
    /// Whether a file may be sent as <c>"encoding":"base64"</c>. The contract knows texts only; a backend that takes more says so in its answer to
    /// <c>/health</c>: <c>{"features":["base64"]}</c>.
    /// </summary>
    public async Task<bool> TakesBase64Async(CancellationToken cancellation)
    {
        if (_takesBase64 is null)
            await HealthAsync(cancellation).ConfigureAwait(false);
        return _takesBase64 == true;
    }

    public async Task HealthAsync(CancellationToken cancellation)
    {
        using CancellationTokenSource bound = Bound(cancellation);
        byte[] body = await CallAsync(HttpMethod.Get, "health", null, bound, cancellation).ConfigureAwait(false);
        try
        {
            using var document = JsonDocument.Parse(body);
            _takesBase64 = document.RootElement.Member("features") is { } features && features.Items().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals("base64"));
        }
        catch (JsonException)
        {
            _takesBase64 = false;
        }
    }

    /// <summary>A call with a small answer.</summary>
    public async Task<JsonDocument> AskAsync(string path, CancellationToken cancellation)
    {
        using CancellationTokenSource bound = Bound(cancellation);
        return RemoteJson.Parse(await CallAsync(HttpMethod.Get, path, null, bound, cancellation).ConfigureAwait(false), Who);
    }

    /// <summary>A call whose answer is of no interest.</summary>
    public async Task TellAsync(HttpMethod method, string path, Action<Utf8JsonWriter>? body, CancellationToken cancellation)
    {
        using CancellationTokenSource bound = Bound(cancellation);
        using HttpContent? content = body is null ? null : RemoteJson.Body(body);
        using HttpResponseMessage answer = await SendAsync(method, path, content, null, bound, cancellation).ConfigureAwait(false);
    }

    /// <summary>The id that the backend gives to a new sandbox.</summary>
    public async Task<string> SpawnAsync(SandboxSpec spec, string id, CancellationToken cancellation)
    {
        using CancellationTokenSource bound = Bound(cancellation);
        using HttpContent content = RemoteJson.Body(json =>
        {
            json.WriteString("image", spec.Image);
            json.WriteNumber("memory_mb", spec.MemoryMb);
            json.WriteNumber("vcpus", spec.Vcpus);
            if (spec.DiskMb > 0)
                json.WriteNumber("disk_size_mb", spec.DiskMb);
            // Our own id travels as metadata: the operator of a backend finds by it what a lost answer has left there.
            json.WriteMap("metadata", new Dictionary<string, string>(spec.Metadata) { ["stacyvm.sandbox"] = id });
        });
        using JsonDocument answer = RemoteJson.Parse(await CallAsync(HttpMethod.Post, "spawn", content, bound, cancellation).ConfigureAwait(false), Who);
        string? remote = answer.RootElement.Text("id");
        if (remote is not { Length: > 0 and <= 200 } || remote is "." or ".." || remote.Any(c => c is < '!' or > '~'))
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{Who} answered a spawn without an id of 1 to 200 visible ASCII characters; if it made a sandbox, its metadata has stacyvm.sandbox={id}");
        return remote;
    }

    /// <summary>A call whose answer is read as a stream. It has no bound in time but the caller's.</summary>
    public Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, HttpContent? content, Action<HttpRequestMessage>? prepare, CancellationToken cancellation) =>
        SendAsync(method, path, content, prepare, null, cancellation);

    /// <summary>As <see cref="OpenAsync"/>, answered whole.</summary>
    public async Task<JsonDocument> WaitAsync(string path, HttpContent content, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Post, path, content, null, null, cancellation).ConfigureAwait(false);
        return RemoteJson.Parse(await ReadAsync(answer, cancellation).ConfigureAwait(false), Who);
    }

    /// <summary>What went wrong underway, told as what it is for a caller.</summary>
    public StacyVMException Unreachable(Exception cause) =>
        new(ProblemKind.ProviderUnavailable, $"{Who} cannot be reached, or broke off: {RemoteHttp.Plain(cause.InnerException?.Message ?? cause.Message, [_key])}", cause);

    public StacyVMException Silent() => new(ProblemKind.ProviderUnavailable, $"{Who} did not answer within {GoDuration.Format(_timeout)} (providers.custom.timeout)");

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> CallAsync(HttpMethod method, string path, HttpContent? content, CancellationTokenSource bound, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await SendAsync(method, path, content, null, bound, cancellation).ConfigureAwait(false);
        try
        {
            return await ReadAsync(answer, bound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Silent();
        }
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        try
        {
            return await RemoteHttp.ReadAsync(answer.Content, LargestDocument, Who, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Unreachable(e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, Action<HttpRequestMessage>? prepare, CancellationTokenSource? bound, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(_base, path)) { Content = content };
        if (_key.Length > 0)
            request.Headers.TryAddWithoutValidation("X-API-Key", _key);
        prepare?.Invoke(request);
        CancellationToken until = bound?.Token ?? cancellation;
        try
        {
            HttpResponseMessage answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, until).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode)
                return answer;
            using (answer)
                throw await RefusedAsync(answer, until).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(e);
        }
        catch (OperationCanceledException) when (bound is not null && !cancellation.IsCancellationRequested)
        {
            throw Silent();
        }
    }

    private async Task<CustomRefusal> RefusedAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        HttpStatusCode status = answer.StatusCode;
        string said = await RemoteHttp.ReadTextAsync(answer.Content, [_key], cancellation).ConfigureAwait(false);
        string told = said.Length > 0 ? $"{Who} answered {(int)status}: {said}" : $"{Who} answered {(int)status}";
        return (int)status switch
        {
            400 or 422 => new CustomRefusal(ProblemKind.InvalidInput, status, told),
            401 => new CustomRefusal(ProblemKind.ProviderUnavailable, status, $"{Who} refuses the key in providers.custom.api_key"),
            403 => new CustomRefusal(ProblemKind.Forbidden, status, told),
            404 => new CustomRefusal(ProblemKind.NotFound, status, told),
            408 => new CustomRefusal(ProblemKind.ExecTimeout, status, told),
            409 => new CustomRefusal(ProblemKind.Conflict, status, told),
            410 => new CustomRefusal(ProblemKind.SandboxGone, status, told),
            413 => new CustomRefusal(ProblemKind.PayloadTooLarge, status, told),
            429 => new CustomRefusal(ProblemKind.ResourceLimit, status, told),
            501 => new CustomRefusal(ProblemKind.Unsupported, status, told),
            503 => new CustomRefusal(ProblemKind.ProviderUnavailable, status, told),
            507 => new CustomRefusal(ProblemKind.StorageFull, status, told),
            >= 300 and < 400 => new CustomRefusal(ProblemKind.ProviderUnavailable, status, $"{Who} answered with a redirect, which is not followed: set providers.custom.base_url to where it leads"),
            _ => new CustomRefusal(ProblemKind.Internal, status, told),
        };
    }

    private CancellationTokenSource Bound(CancellationToken cancellation)
    {
        var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(_timeout);
        return bound;
    }
}
