using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>A sandbox that is worked through its agent. What the wall around it knows comes from its <see cref="IPlace"/>.</summary>
internal sealed class AgentSandbox : ISandbox, IKeepsProcesses, IForwardsPorts, IReportsUsage, IConsoleLog
{
    /// <summary>9999-12-31 in microseconds: a guest's clock may say anything.</summary>
    private const long LatestStart = 253_402_300_799_000_000;

    private readonly IAgentLink _link;
    private readonly IPlace _place;
    private readonly UsageSampler _sampler = new();

    public AgentSandbox(string id, IAgentLink link, IPlace place)
    {
        Id = id;
        _link = link;
        _place = place;
        Operations = new AgentOperations(id, link);
        Files = new AgentFiles(Operations);
    }

    public string Id { get; }

    public string Image => _place.Image;

    public SandboxHandle Handle => _place.Handle;

    public ISandboxFiles Files { get; }

    private AgentOperations Operations { get; }

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation) => _place.StatusAsync(cancellation);

    public async Task<IExecSession> StartAsync(ExecSpec spec, CancellationToken cancellation)
    {
        if (spec.Arguments.Count == 0)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {Id}: a command needs a program");
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        AgentChannel channel = connection.Open(Request(spec));
        try
        {
            byte[] reply = await channel.ReplyAsync(cancellation).ConfigureAwait(false);
            var reader = new RecordReader(reply);
            var started = ProcessStarted.Read(ref reader);
            return new AgentExecSession(Id, channel, started.Process, started.Pid, 0, spec.Detached);
        }
        catch (Exception e) when (e is AgentRefusal or ProtocolViolationException)
        {
            channel.Drop();
            throw Operations.Translate(e, spec.Arguments[0]);
        }
        catch (OperationCanceledException)
        {
            // It may have started already: what nobody waits for is ended, not forgotten.
            await channel.CancelAsync(AgentExecSession.KillBound).ConfigureAwait(false);
            throw;
        }
    }

    public async Task<IExecSession> AttachAsync(uint process, ulong offset, CancellationToken cancellation)
    {
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.AttachProcess);
        new AttachProcessRequest(process, offset).Write(request);
        AgentChannel channel = connection.Open(request);
        try
        {
            byte[] reply = await channel.ReplyAsync(cancellation).ConfigureAwait(false);
            var reader = new RecordReader(reply);
            var attached = ProcessAttached.Read(ref reader);
            return new AgentExecSession(Id, channel, process, attached.Pid, attached.Offset, detached: true);
        }
        catch (Exception e) when (e is AgentRefusal or ProtocolViolationException)
        {
            channel.Drop();
            throw Operations.Translate(e, $"process {process}");
        }
        catch (OperationCanceledException)
        {
            await channel.DetachAsync(AgentExecSession.KillBound).ConfigureAwait(false);
            throw;
        }
    }

    public async Task<IReadOnlyList<ProcessSnapshot>> ListProcessesAsync(CancellationToken cancellation)
    {
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        return await Operations.ListAsync(connection.Open(AgentRequest.Begin(ChannelKind.ListProcesses)), "processes", ReadProcess, cancellation).ConfigureAwait(false);
    }

    public async Task SignalProcessAsync(uint process, int signal, CancellationToken cancellation)
    {
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.SignalProcess);
        new SignalProcessRequest(process, signal).Write(request);
        await Operations.FinishAsync(connection.Open(request), $"process {process}", cancellation).ConfigureAwait(false);
    }

    public async Task<Stream> ConnectAsync(int port, CancellationToken cancellation)
    {
        if (port is < 1 or > 65535)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{port} is not a port");
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.Connect);
        new ConnectRequest((ushort)port).Write(request);
        AgentChannel channel = connection.Open(request);
        try
        {
            await channel.ReplyAsync(cancellation).ConfigureAwait(false);
            return new PortStream(channel);
        }
        catch (Exception e)
        {
            channel.Drop();
            if (e is AgentRefusal or ProtocolViolationException)
                throw Operations.Translate(e, $"port {port}");
            throw;
        }
    }

    public async Task<IReadOnlyList<int>> ListPortsAsync(CancellationToken cancellation)
    {
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        byte[] body = await Operations.FinishAsync(connection.Open(AgentRequest.Begin(ChannelKind.ListPorts)), "ports", cancellation).ConfigureAwait(false);
        return Operations.Decode(body, static (ref RecordReader reader) =>
        {
            var ports = new int[reader.Count(reader.UInt32(), 2)];
            for (int i = 0; i < ports.Length; i++)
                ports[i] = reader.UInt16();
            return ports;
        });
    }

    public async Task<SandboxUsage> UsageAsync(CancellationToken cancellation)
    {
        if (await _place.UsageAsync(cancellation).ConfigureAwait(false) is { } accounted)
            return accounted;
        AgentConnection connection = await _link.GetAsync(cancellation).ConfigureAwait(false);
        byte[] body = await Operations.FinishAsync(connection.Open(AgentRequest.Begin(ChannelKind.Statistics)), "statistics", cancellation).ConfigureAwait(false);
        AgentStatistics statistics = Operations.Decode(body, AgentStatistics.Read);
        var cpu = TimeSpan.FromMicroseconds(Math.Min(statistics.CpuMicroseconds, long.MaxValue / 16));
        return new SandboxUsage(cpu, _sampler.Percent(cpu), (long)statistics.MemoryBytes, 0, (int)statistics.Processes, (long)statistics.DiskUsedBytes);
    }

    public Task<IReadOnlyList<string>> TailAsync(int lines, CancellationToken cancellation) => _place.ConsoleAsync(lines, cancellation);

    public async Task DestroyAsync(CancellationToken cancellation)
    {
        await _place.RemoveAsync(cancellation).ConfigureAwait(false);
        await _link.DisposeAsync().ConfigureAwait(false);
    }

    private static ProcessSnapshot ReadProcess(ref RecordReader reader)
    {
        var entry = ProcessEntry.Read(ref reader);
        return new ProcessSnapshot(
            entry.Process, entry.Pid, entry.Command, DateTime.UnixEpoch.AddMicroseconds(Math.Clamp(entry.StartedAt, 0, LatestStart)), entry.Running,
            entry.Exit.ExitCode, entry.OutputBytes, entry.Terminal);
    }

    private static RecordWriter Request(ExecSpec spec)
    {
        ProcessFlags flags = ProcessFlags.None;
        if (spec.Terminal is not null)
            flags |= ProcessFlags.Terminal;
        if (spec.Stdin)
            flags |= ProcessFlags.Stdin;
        if (spec.Detached)
            flags |= ProcessFlags.Detached;
        RecordWriter request = AgentRequest.Begin(ChannelKind.StartProcess);
        new StartProcessRequest
        {
            Arguments = spec.Arguments,
            Environment = spec.Environment.Count == 0 ? [] : [.. spec.Environment],
            WorkingDirectory = spec.WorkingDirectory,
            Flags = flags,
            Columns = (ushort)Math.Clamp(spec.Terminal?.Columns ?? 0, 0, ushort.MaxValue),
            Rows = (ushort)Math.Clamp(spec.Terminal?.Rows ?? 0, 0, ushort.MaxValue),
            // A time that is not zero never rounds to "no limit".
            TimeoutMilliseconds = spec.Timeout <= TimeSpan.Zero ? 0 : (ulong)Math.Ceiling(spec.Timeout.TotalMilliseconds),
        }.Write(request);
        return request;
    }
}
