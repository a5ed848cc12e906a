using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>
/// A small process that forks for the server: an agent on the host, spoken to over its standard streams. It starts programs such as
/// <c>bwrap</c> in microseconds, joins cgroups and drops privileges before the program begins, and is gone with the server while what it
/// started lives on.
/// </summary>
internal sealed partial class HostLauncher(string agentPath, ILogger log) : IAsyncDisposable
{
    private const string Name = "launcher";
    private const int TextFileBusy = 26;
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeaveBound = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _starting = new(1);
    private AgentConnection? _connection;
    private Process? _process;
    private bool _disposed;

    /// <summary>Its process id; 0 before it is started.</summary>
    public int Pid { get; private set; }

    /// <summary>Starts a program that outlives the server.</summary>
    /// <param name="request"><see cref="ProcessFlags.Unsupervised"/> and <see cref="ProcessFlags.Detached"/> are added.</param>
    /// <param name="cancellation">Before the program has started, gives up; it may then have started or not.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/> when the program cannot be started.</exception>
    public async Task<LaunchedProgram> LaunchAsync(StartProcessRequest request, CancellationToken cancellation)
    {
        AgentConnection connection = await ConnectAsync(cancellation).ConfigureAwait(false);
        AgentChannel? channel = null;
        try
        {
            RecordWriter open = AgentRequest.Begin(ChannelKind.StartProcess);
            (request with { Flags = request.Flags | ProcessFlags.Unsupervised | ProcessFlags.Detached }).Write(open);
            channel = connection.Open(open);
            var reader = new RecordReader(await channel.ReplyAsync(cancellation).ConfigureAwait(false));
            var started = ProcessStarted.Read(ref reader);
            Task<ProcessExit> exited = ExitOf(channel);
            return new LaunchedProgram((int)started.Pid, exited);
        }
        catch (AgentRefusal refusal)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{request.Arguments[0]} could not be started: {refusal.Message}", refusal);
        }
        catch (StacyVMException gone) when (gone.Kind == ProblemKind.SandboxGone)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the launcher ended while it started {request.Arguments[0]}; try again", gone);
        }
        catch (OperationCanceledException)
        {
            channel?.Drop();
            throw;
        }
    }

    /// <summary>Starts it when it does not run.</summary>
    internal async ValueTask<HostLauncher> ReadyAsync(CancellationToken cancellation)
    {
        await ConnectAsync(cancellation).ConfigureAwait(false);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _starting.WaitAsync().ConfigureAwait(false);
        try
        {
            _disposed = true;
            await EndAsync().ConfigureAwait(false);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>The program's exit when the launcher tells; else never. What the program writes to the launcher is not kept.</summary>
    private static async Task<ProcessExit> ExitOf(AgentChannel channel)
    {
        try
        {
            byte[] body = await channel.BodyAsync(CancellationToken.None).ConfigureAwait(false);
            var reader = new RecordReader(body);
            return ProcessExit.Read(ref reader);
        }
        catch (Exception e) when (e is StacyVMException or AgentRefusal or ProtocolViolationException)
        {
            return await new TaskCompletionSource<ProcessExit>().Task.ConfigureAwait(false);
        }
    }

    private ValueTask<AgentConnection> ConnectAsync(CancellationToken cancellation) =>
        Volatile.Read(ref _connection) is { IsAlive: true } connection ? new ValueTask<AgentConnection>(connection) : StartAsync(cancellation);

    private async ValueTask<AgentConnection> StartAsync(CancellationToken cancellation)
    {
        await _starting.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connection is { IsAlive: true } connection)
                return connection;
            await EndAsync().ConfigureAwait(false);

            string token = AgentHost.NewToken();
            Process process = await SpawnAsync(token, cancellation).ConfigureAwait(false);
            _process = process;
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            bound.CancelAfter(StartBound);
            var streams = new DuplexStream(process.StandardOutput.BaseStream, process.StandardInput.BaseStream);
            _connection = await AgentConnection.OpenAsync(streams, Name, token, bound.Token).ConfigureAwait(false);
            Pid = process.Id;
            _ = ReportAsync(process.StandardError);
            LogStarted(Pid);
            return _connection;
        }
        catch (Exception e) when (e is IOException or Win32Exception or ProtocolViolationException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            await EndAsync().ConfigureAwait(false);
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the launcher {agentPath} could not be started: {e.Message}", e);
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task<Process> SpawnAsync(string token, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(agentPath)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        // Nothing of the server's environment, where keys and passwords are.
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") is { Length: > 0 } path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment[AgentProtocol.DialVariable] = "stdio:";
        start.Environment[AgentProtocol.TokenVariable] = token;
        start.Environment[AgentProtocol.WorkdirVariable] = "/";
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return Process.Start(start)!;
            }
            catch (Win32Exception busy) when (busy.NativeErrorCode == TextFileBusy && attempt < 50)
            {
                // A process forked elsewhere in this server holds the freshly unpacked file open for writing until it has executed.
                await Task.Delay(10, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>End of its stdin ends it; a launcher that does not listen is killed.</summary>
    private async Task EndAsync()
    {
        _connection?.Abort(new IOException("the server lets go of the launcher"));
        _connection = null;
        if (_process is not { } process)
            return;
        _process = null;
        // Below the writer, which would flush into what the connection has closed already.
        process.StandardInput.BaseStream.Dispose();
        try
        {
            await process.WaitForExitAsync().WaitAsync(LeaveBound).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
        process.Dispose();
    }

    private async Task ReportAsync(StreamReader errors)
    {
        try
        {
            while (await errors.ReadLineAsync().ConfigureAwait(false) is { } line)
                LogLine(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, EventName = "launcher.started", Message = "launcher started, process {Pid}")]
    private partial void LogStarted(int pid);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "launcher.wrote", Message = "launcher: {Line}")]
    private partial void LogLine(string line);
}

/// <summary>A launched program, while the server that launched it lives.</summary>
/// <param name="Pid">Host process id.</param>
/// <param name="Exited">Completes with its exit when the launcher sees it end; never completes when the launcher is gone.</param>
internal sealed record LaunchedProgram(int Pid, Task<ProcessExit> Exited);
