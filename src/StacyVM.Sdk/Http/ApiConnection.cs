using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using StacyVM.Protocol.Rest;

namespace StacyVM.Sdk.Http;

/// <summary>The one way to the server for all classes of this library: addresses, headers, timeouts, retries and errors in one place.</summary>
internal sealed class ApiConnection : IDisposable
{
    private readonly StacyClientOptions _options;
    private readonly HttpClient _http;

    public ApiConnection(StacyClientOptions options)
    {
        _options = options;
        Address = ServerAddress.Parse(options.BaseUrl);
        _http = new HttpClient(CreateHandler()) { BaseAddress = Address.Uri, Timeout = Timeout.InfiniteTimeSpan };
        AddHeader("X-API-Key", options.ApiKey);
        AddHeader("X-Admin-API-Key", options.AdminApiKey);
        AddHeader("X-User-ID", options.UserId);
        AddHeader("X-Tenant-ID", options.TenantId);
        if (!string.IsNullOrEmpty(options.BearerToken))
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.BearerToken);
    }

    public ServerAddress Address { get; }

    public TimeSpan IdleTimeout => _options.IdleTimeout;

    /// <summary>A handler that connects to the server whatever host a request names.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = _options.ConnectTimeout,
        Expect100ContinueTimeout = TimeSpan.Zero,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(45),
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = (_, cancellation) => Address.ConnectAsync(cancellation),
    };

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, string? sandboxId, CancellationToken cancellation)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await CallAsync(new ApiCall(HttpMethod.Get, path) { SandboxId = sandboxId }, type, cancellation).ConfigureAwait(false);
            }
            catch (Protocol.Problems.StacyVMException failure) when (attempt < _options.Retries && IsWorthRetrying(failure))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200 << Math.Min(attempt, 5)), cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Sends and reads the whole answer as JSON.</summary>
    public async Task<T> CallAsync<T>(ApiCall call, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(call, cancellation).ConfigureAwait(false);
        try
        {
            using Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(body, type, cancellation).ConfigureAwait(false)
                ?? throw new ConnectionException($"{Address.Text} answered {call.Method} {call.Path} with nothing; is it a StacyVM server?");
        }
        catch (JsonException fault)
        {
            throw new ConnectionException($"{Address.Text} answered {call.Method} {call.Path} with something that is not JSON; is it a StacyVM server?", fault);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw Unreachable(fault);
        }
    }

    /// <summary>Sends and throws away what a successful answer says.</summary>
    public async Task CallAsync(ApiCall call, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await SendAsync(call, cancellation).ConfigureAwait(false);
        try
        {
            // Read to its end, so that the connection can be used again.
            await response.Content.CopyToAsync(Stream.Null, cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw Unreachable(fault);
        }
    }

    /// <summary>Sends and returns a successful answer as soon as its headers are there.</summary>
    public async Task<HttpResponseMessage> SendAsync(ApiCall call, CancellationToken cancellation)
    {
        using HttpRequestMessage request = call.ToRequest();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (!call.Unhurried)
            limit.CancelAfter(_options.ResponseTimeout);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException fault)
        {
            throw Unreachable(fault);
        }
        catch (OperationCanceledException fault) when (!cancellation.IsCancellationRequested)
        {
            string phase = limit.IsCancellationRequested ? $"did not answer {call.Method} {call.Path} in {_options.ResponseTimeout.TotalSeconds:0} s" : $"could not be connected to in {_options.ConnectTimeout.TotalSeconds:0} s";
            throw new ServerTimeoutException($"the server at {Address.Text} {phase}", fault);
        }
        if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.SwitchingProtocols || call.Accepts(response.StatusCode))
            return response;
        using (response)
            throw await ToExceptionAsync(response, call.SandboxId, cancellation).ConfigureAwait(false);
    }

    public ConnectionException Unreachable(Exception fault) =>
        new($"cannot reach the server at {Address.Text}: {Innermost(fault).Message}", fault);

    public void Dispose() => _http.Dispose();

    private static async Task<ServerException> ToExceptionAsync(HttpResponseMessage response, string? sandboxId, CancellationToken cancellation)
    {
        string text = "";
        try
        {
            text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            // The status alone must do.
        }
        string code = "";
        try
        {
            if (JsonSerializer.Deserialize(text, RestJson.Default.ErrorBody) is { } body)
                (code, text) = (body.Code, body.Message);
        }
        catch (JsonException)
        {
            // A proxy's page or plain text: shown as it is, within reason.
            text = text.Length > 300 ? text[..300] : text;
        }
        string? requestId = response.Headers.TryGetValues("X-Request-ID", out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
        if (text.Length == 0)
            text = $"HTTP {(int)response.StatusCode} {response.ReasonPhrase}";
        return ErrorTranslation.ToException((int)response.StatusCode, code, text, sandboxId, requestId);
    }

    private static bool IsWorthRetrying(Protocol.Problems.StacyVMException failure) =>
        failure is ConnectionException or ServerException { StatusCode: 429 or 503 };

    private static Exception Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
            fault = inner;
        return fault;
    }

    private void AddHeader(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            _http.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
    }
}
