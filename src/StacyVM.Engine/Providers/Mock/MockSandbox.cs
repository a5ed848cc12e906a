using StacyVM.Engine.Agents;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>An <see cref="AgentSandbox"/> on the host, with a root that is only a manner of speaking: <c>/workspace</c> of a request means the sandbox's own.</summary>
internal sealed class MockSandbox(AgentSandbox inner, MockFolder folder) : ISandbox, IKeepsProcesses, IForwardsPorts, IReportsUsage, IConsoleLog
{
    private readonly MockPaths _paths = new(folder.Root);

    public string Id => inner.Id;

    public string Image => inner.Image;

    public SandboxHandle Handle => inner.Handle;

    public ISandboxFiles Files { get; } = new MockFiles(inner.Files, new MockPaths(folder.Root));

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation) => inner.StatusAsync(cancellation);

    public Task<IExecSession> StartAsync(ExecSpec spec, CancellationToken cancellation) =>
        inner.StartAsync(spec.WorkingDirectory.Length == 0 ? spec : spec with { WorkingDirectory = _paths.ToHost(spec.WorkingDirectory) }, cancellation);

    public Task<IReadOnlyList<ProcessSnapshot>> ListProcessesAsync(CancellationToken cancellation) => inner.ListProcessesAsync(cancellation);

    public Task<IExecSession> AttachAsync(uint process, ulong offset, CancellationToken cancellation) => inner.AttachAsync(process, offset, cancellation);

    public Task SignalProcessAsync(uint process, int signal, CancellationToken cancellation) => inner.SignalProcessAsync(process, signal, cancellation);

    public Task<Stream> ConnectAsync(int port, CancellationToken cancellation) => inner.ConnectAsync(port, cancellation);

    public Task<IReadOnlyList<int>> ListPortsAsync(CancellationToken cancellation) => inner.ListPortsAsync(cancellation);

    public Task<SandboxUsage> UsageAsync(CancellationToken cancellation) => inner.UsageAsync(cancellation);

    public Task<IReadOnlyList<string>> TailAsync(int lines, CancellationToken cancellation) => inner.TailAsync(lines, cancellation);

    public Task DestroyAsync(CancellationToken cancellation) => inner.DestroyAsync(cancellation);
}
