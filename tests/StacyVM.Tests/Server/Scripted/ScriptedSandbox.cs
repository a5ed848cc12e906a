using System.Collections.Concurrent;
using System.Net.Sockets;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;

namespace StacyVM.Tests.Server.Scripted;

/// <summary>
/// A sandbox in memory. Its shell knows <c>echo</c>, <c>exit</c>, <c>cat</c> and <c>wait</c>; anything else is the test's, through
/// <see cref="Sessions"/>. Its ports are ports of the test.
/// </summary>
internal sealed class ScriptedSandbox(string id, string image, Action<string> destroyed) : ISandbox, IKeepsProcesses, IForwardsPorts, IReportsUsage
{
    private readonly ConcurrentDictionary<uint, ScriptedSession> _processes = new();
    private uint _last;

    public string Id => id;

    public string Image => image;

    public SandboxHandle Handle { get; } = new(1, "{}");

    public MemoryFiles Memory { get; } = new();

    public ISandboxFiles Files => Memory;

    /// <summary>Sessions in the order of their start.</summary>
    public BlockingCollection<ScriptedSession> Sessions { get; } = [];

    /// <summary>Port in the sandbox → port of the test.</summary>
    public ConcurrentDictionary<int, int> Ports { get; } = new();

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation) => Task.FromResult(new RuntimeStatus(RuntimeState.Running));

    public Task<IExecSession> StartAsync(ExecSpec spec, CancellationToken cancellation)
    {
        var session = new ScriptedSession(Interlocked.Increment(ref _last), spec);
        _processes[session.Process] = session;
        Sessions.Add(session, cancellation);
        session.Run(spec.Arguments[^1]);
        return Task.FromResult<IExecSession>(session);
    }

    public Task DestroyAsync(CancellationToken cancellation)
    {
        destroyed(id);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<ProcessSnapshot>> ListProcessesAsync(CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<ProcessSnapshot>>([.. _processes.Values.OrderBy(process => process.Process).Select(process => process.Snapshot())]);

    public Task<IExecSession> AttachAsync(uint process, ulong offset, CancellationToken cancellation) =>
        Task.FromResult<IExecSession>(Find(process).Replay(offset));

    public Task SignalProcessAsync(uint process, int signal, CancellationToken cancellation) => Find(process).SignalAsync(signal, cancellation).AsTask();

    public async Task<Stream> ConnectAsync(int port, CancellationToken cancellation)
    {
        if (!Ports.TryGetValue(port, out int real))
            throw new StacyVMException(ProblemKind.Unavailable, $"nothing listens on port {port}");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", real, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public Task<IReadOnlyList<int>> ListPortsAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<int>>([.. Ports.Keys.Order()]);

    public Task<SandboxUsage> UsageAsync(CancellationToken cancellation) =>
        Task.FromResult(new SandboxUsage(TimeSpan.FromSeconds(1), 12.5, 1000, 2000, 3, -1));

    private ScriptedSession Find(uint process) =>
        _processes.TryGetValue(process, out ScriptedSession? session) ? session : throw new StacyVMException(ProblemKind.NotFound, $"process {process} of {id}");
}
