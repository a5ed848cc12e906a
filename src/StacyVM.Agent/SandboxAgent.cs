using StacyVM.Agent.Connection;
using StacyVM.Agent.Files;
using StacyVM.Agent.Guests;
using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Agent.Ports;
using StacyVM.Agent.Processes;
using StacyVM.Agent.Statistics;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent;

/// <summary>The agent: one loop, one connection at a time, and the processes that outlive it.</summary>
internal sealed class SandboxAgent
{
    private readonly AgentOptions _options;
    private readonly EventLoop _loop = new();
    private readonly ProcessTable _processes;
    private readonly Workers _workers;
    private readonly Dialer _dialer;
    private readonly long _startedAt = Clock.UnixMicroseconds;
    private readonly long _started = Clock.Microseconds;
    private AgentConnection? _connection;
    private bool _ending;

    internal SandboxAgent(AgentOptions options)
    {
        _options = options;
        _processes = new ProcessTable(_loop, options);
        _workers = new Workers(options);
        _dialer = new Dialer(_loop, options.Dial, OnConnected);
    }

    /// <summary>Runs until the host says that it is over, or its streams end.</summary>
    internal void Run()
    {
        Surroundings.Prepare(_options);
        _dialer.Start();
        while (!_ending)
        {
            _loop.Turn();
            _connection?.Flush();
        }
    }

    internal WelcomeMessage Introduce(byte[] nonce) =>
        new(AgentProtocol.Version, nonce, _options.Token, (uint)_options.Pid, _startedAt);

    /// <summary>The line to the host is never closed on that side alone: a new host may speak up in the middle of what the last one said.</summary>
    internal bool KeepsItsLine => _options.Dial.Kind == DialKind.Serial;

    internal void OnWelcome() => _dialer.Succeeded();

    internal void OnConnectionEnded(AgentConnection connection)
    {
        _connection = null;
        if (_dialer.CanRedial)
            _dialer.Redial(connection.IsWelcome);
        else
            _ending = true;
    }

    /// <summary>Makes the channel for a request; throws <see cref="OperationFailure"/> when it cannot begin.</summary>
    internal Channel Open(AgentConnection connection, uint number, ChannelKind kind, ref RecordReader request)
    {
        switch (kind)
        {
            case ChannelKind.StartProcess:
                return _processes.Start(connection, number, StartProcessRequest.Read(ref request));
            case ChannelKind.AttachProcess:
                AttachProcessRequest attach = AttachProcessRequest.Read(ref request);
                return new ProcessChannel(connection, number, _processes.Find(attach.Process), attach.Offset);
            case ChannelKind.ListProcesses:
                return new RecordChannel(connection, number, _processes.List());
            case ChannelKind.SignalProcess:
                return Signal(connection, number, SignalProcessRequest.Read(ref request));
            case ChannelKind.Connect:
                return new PortChannel(connection, number, _loop, ConnectRequest.Read(ref request).Port);
            case ChannelKind.ListPorts:
                return new WorkChannel(connection, number, _loop, _workers, new ListPortsOperation());
            case ChannelKind.Statistics:
                return new WorkChannel(connection, number, _loop, _workers, new StatisticsOperation(_options, _processes.EndedCpuMicroseconds, _started));
            case ChannelKind.Watch:
                return new WatchChannel(connection, number, _loop, _workers, WatchOperation.Read(ref request, _options.WorkingDirectory));
            case ChannelKind.Identity when _options.CommandGroup is not null:
                GuestIdentity.Take(IdentityRequest.Read(ref request), _options);
                return new RecordChannel(connection, number, []);
            case ChannelKind.Hold when _options.CommandGroup is not null:
                CommandGroup.Hold(HoldRequest.Read(ref request).Hold);
                return new RecordChannel(connection, number, []);
            case ChannelKind.Shutdown:
                return new ShutdownChannel(connection, number, Shutdown);
            default:
                IOperation operation = FileOperations.Read(kind, ref request, _options)
                    ?? throw new OperationFailure(AgentStatus.Unsupported, "this agent does not know the operation " + ((byte)kind).ToString());
                return new WorkChannel(connection, number, _loop, _workers, operation);
        }
    }

    private RecordChannel Signal(AgentConnection connection, uint number, SignalProcessRequest request)
    {
        SandboxProcess process = _processes.Find(request.Process);
        if (request.Signal is < 0 or > 64)
            throw new OperationFailure(AgentStatus.InvalidArgument, "no signal has that number");
        bool reached = request.Signal == 0 ? process.Kill(ExitFlags.Killed) : process.Signal(request.Signal);
        return reached
            ? new RecordChannel(connection, number, [])
            : throw new OperationFailure(AgentStatus.NotFound, "the process has ended");
    }

    private void OnConnected(int input, int output) => _connection = new AgentConnection(_loop, this, input, output, _options.MostAtOnce);

    private void Shutdown()
    {
        _connection?.Flush();
        _processes.KillAll();
        _ending = true;
    }
}
