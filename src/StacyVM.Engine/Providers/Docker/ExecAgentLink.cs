using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using HttpStatusCode = System.Net.HttpStatusCode;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// The way to an agent whose daemon does not see our sockets: an exec of the agent's own program inside the container takes the agent's
/// dial there and passes it on over its standard streams. A link that breaks is made again when somebody needs it.
/// </summary>
internal sealed class ExecAgentLink : IAgentLink
{
    private static readonly TimeSpan HandshakeWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly AgentHost _host;
    private readonly DockerDaemon _daemon;
    private readonly DockerHandle _handle;
    private readonly string _id;
    private readonly string _token;
    private readonly ILogger _logger;
    private AgentConnection? _current;
    private Task<AgentConnection>? _dialling;

    public ExecAgentLink(AgentHost host, DockerDaemon daemon, DockerHandle handle, string id, string token, ILogger logger)
    {
        (_host, _daemon, _handle, _id, _token, _logger) = (host, daemon, handle, id, token, logger);
        host.Adopt(this);
    }

    public async ValueTask<AgentConnection> GetAsync(CancellationToken cancellation)
    {
        if (Volatile.Read(ref _current) is { IsAlive: true } connection)
            return connection;
        Task<AgentConnection> dialling;
        lock (_lock)
        {
            if (_closed.IsCancellationRequested)
                throw Gone("it has been removed or let go", null);
            if (_current is { IsAlive: true } came)
                return came;
            dialling = _dialling ??= Task.Run(DialAsync, CancellationToken.None);
        }
        return await dialling.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Tries for as long as others wait for a redial, so that a moment's trouble of the daemon is not the end of a sandbox.</summary>
    private async Task<AgentConnection> DialAsync()
    {
        long deadline = Environment.TickCount64 + (long)AgentRendezvous.Patience.TotalMilliseconds;
        TimeSpan wait = ShortestWait;
        try
        {
            while (true)
            {
                try
                {
                    AgentConnection connection = await DialOnceAsync(_closed.Token).ConfigureAwait(false);
                    lock (_lock)
                    {
                        if (!_closed.IsCancellationRequested)
                            return _current = connection;
                    }
                    connection.Abort(new IOException("the server lets go of the sandbox"));
                    throw Gone("it has been removed or let go", null);
                }
                catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
                {
                    throw Gone("its container does not run: " + DockerDaemon.Message(e), e);
                }
                catch (OperationCanceledException e) when (_closed.IsCancellationRequested)
                {
                    throw Gone("it has been removed or let go", e);
                }
                catch (Exception e) when (Environment.TickCount64 < deadline && e is IOException or ProtocolViolationException or DockerApiException or OperationCanceledException or StacyVMException { Kind: ProblemKind.ProviderUnavailable })
                {
                    DockerLog.LinkEnded(_logger, _id, e.Message);
                    await Task.Delay(wait, _closed.Token).ConfigureAwait(false);
                    wait *= 2;
                }
            }
        }
        catch (Exception e) when (e is not StacyVMException)
        {
            throw Gone("its agent cannot be reached through the Docker daemon: " + e.Message, e);
        }
        finally
        {
            lock (_lock)
                _dialling = null;
        }
    }

    private async Task<AgentConnection> DialOnceAsync(CancellationToken cancellation)
    {
        // 1. An exec, as the container's own user, in a directory that no image chooses.
        var exec = await _daemon.QuickAsync(
            (client, limited) => client.Exec.CreateContainerExecAsync(
                _handle.Container,
                new ContainerExecCreateParameters
                {
                    AttachStdin = true,
                    AttachStdout = true,
                    AttachStderr = true,
                    WorkingDir = ContainerSettings.SocketDirectory,
                    // Names without values are taken out of the container's environment, which commands could read from this process.
                    Env = [AgentProtocol.TokenVariable, AgentProtocol.DialVariable, AgentProtocol.WorkdirVariable, AgentProtocol.UserVariable],
                    Cmd = [ContainerSettings.AgentProgram, "connect", "unix:" + ContainerSettings.Socket],
                },
                limited),
            cancellation).ConfigureAwait(false);

        // 2. Its streams; the limit is on the attaching, not on the stream.
        MultiplexedStream attached = await _daemon.QuickAsync(
            (client, limited) => client.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters(), limited),
            cancellation).ConfigureAwait(false);
        var stream = new ExecStream(attached);

        // 3. The agent on the other side proves itself as any other does.
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(HandshakeWithin);
        try
        {
            return await AgentConnection.OpenAsync(stream, _id, _token, limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"it did not answer within {HandshakeWithin.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (e is not OperationCanceledException && stream.Complaint.Length > 0)
        {
            throw new IOException($"{e.Message} ({stream.Complaint})", e);
        }
    }

    private StacyVMException Gone(string why, Exception? cause) => new(ProblemKind.SandboxGone, $"sandbox {_id}: {why}", cause);

    public ValueTask DisposeAsync()
    {
        AgentConnection? current;
        _host.Forget(this);
        lock (_lock)
        {
            _closed.Cancel();
            (current, _current) = (_current, null);
        }
        current?.Abort(new IOException("the server lets go of the sandbox"));
        return default;
    }
}
