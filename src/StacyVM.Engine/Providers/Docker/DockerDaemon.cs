using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// The connection to the daemon. Every call has a time limit, and a daemon that does not answer becomes
/// <see cref="ProblemKind.ProviderUnavailable"/> with its address; an answer of the daemon stays a <see cref="DockerApiException"/> for the
/// caller who knows what the status means.
/// </summary>
internal sealed class DockerDaemon : IDisposable
{
    /// <summary>For calls that the daemon answers from what it knows.</summary>
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(15);

    /// <summary>For calls that make the daemon work: create, start, upload, remove.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromMinutes(2);

    private readonly DockerClient _client;

    public DockerDaemon(DockerEndpoint endpoint)
    {
        Endpoint = endpoint;
        // The limits are per call: a pull or an attached stream lasts as long as it must.
        _client = new DockerClientBuilder().WithEndpoint(endpoint.Address).WithTimeout(Timeout.InfiniteTimeSpan).Build();
    }

    public DockerEndpoint Endpoint { get; }

    public Task<T> QuickAsync<T>(Func<DockerClient, CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        CallAsync(call, Quick, cancellation);

    public Task<T> SlowAsync<T>(Func<DockerClient, CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        CallAsync(call, Slow, cancellation);

    public async Task SlowAsync(Func<DockerClient, CancellationToken, Task> call, CancellationToken cancellation) =>
        await CallAsync(
            async (client, limited) =>
            {
                await call(client, limited).ConfigureAwait(false);
                return true;
            },
            Slow,
            cancellation).ConfigureAwait(false);

    /// <summary>A call without a limit of its own.</summary>
    public Task<T> LongAsync<T>(Func<DockerClient, CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        CallAsync(call, Timeout.InfiniteTimeSpan, cancellation);

    private async Task<T> CallAsync<T>(Func<DockerClient, CancellationToken, Task<T>> call, TimeSpan limit, CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(limit);
        try
        {
            return await call(_client, limited.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or TimeoutException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Unreachable(e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new StacyVMException(
                ProblemKind.ProviderUnavailable,
                $"the Docker daemon at {Endpoint} did not answer within {limit.TotalSeconds:0} s; look at its log",
                e);
        }
    }

    /// <summary>The daemon's own sentence.</summary>
    public static string Message(DockerApiException failure)
    {
        try
        {
            using var body = JsonDocument.Parse(failure.ResponseBody ?? "");
            if (body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("message", out JsonElement message))
                return message.GetString()?.Trim() ?? "";
        }
        catch (JsonException)
        {
            // A proxy in between answers in its own words.
        }
        return $"status {(int)failure.StatusCode}";
    }

    public static bool Is(DockerApiException failure, HttpStatusCode status) => failure.StatusCode == status;

    private StacyVMException Unreachable(Exception cause)
    {
        string reason = cause.GetBaseException() is SocketException socket
            ? socket.SocketErrorCode switch
            {
                SocketError.AccessDenied => "permission denied; add the server's user to the group that owns the socket",
                SocketError.ConnectionRefused => "nobody listens there; start the daemon",
                _ => socket.Message,
            }
            : cause.GetBaseException().Message;
        return new StacyVMException(ProblemKind.ProviderUnavailable, $"the Docker daemon at {Endpoint} cannot be reached: {reason}", cause);
    }

    public void Dispose() => _client.Dispose();
}
