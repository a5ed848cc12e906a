using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>
/// Sandboxes that are plain directories on the host, worked by an agent that is a plain process of the server's user. Nothing is isolated and
/// no limit is kept: for tests and demonstrations, never chosen by itself.
/// </summary>
internal sealed partial class MockProvider(AgentHost host) : ISandboxProvider, ICheckpoints, IPauses
{
    /// <summary>What really runs, whatever was asked for.</summary>
    public const string ImageName = "host";

    private const string Env = "/usr/bin/env";
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(10);

    private readonly TurnTaking _turns = new();

    public string Name => "mock";

    public IReadOnlyList<string> Traits { get; } = ["test_provider"];

    public IReadOnlyDictionary<string, string> PublicSettings { get; } = new Dictionary<string, string> { ["type"] = "mock" };

    public async Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            await host.LauncherAsync(cancellation).ConfigureAwait(false);
            return new ProviderHealth(true, null, new Dictionary<string, string>(), [ImageName]);
        }
        catch (StacyVMException problem)
        {
            return new ProviderHealth(false, problem.Message);
        }
    }

    public Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation) =>
        BuildAsync(id, null, cancellation);

    private async Task<ISandbox> BuildAsync(string id, string? checkpoint, CancellationToken cancellation)
    {
        // 1. What an earlier attempt left.
        await RemoveAsync(id, CancellationToken.None).ConfigureAwait(false);
        var folder = new MockFolder(host, id);
        var state = new MockState(AgentHost.NewToken(), DateTime.UtcNow, default, ProcessIdentity.BootId);
        AgentListener? listener = null;
        try
        {
            // 2. The marker before anything that would have to be found by it, the listener before the agent that dials it.
            folder.Make(state);
            if (checkpoint is not null)
                await Task.Run(() => Fill(folder, checkpoint, cancellation), CancellationToken.None).ConfigureAwait(false);
            listener = host.Listen(id, state.Token);

            // 3. The agent, or the reason why it does not come.
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            LaunchedProgram agent = await launcher.LaunchAsync(Request(folder, state.Token), cancellation).ConfigureAwait(false);
            state = state with { Process = ProcessIdentity.Of(agent.Pid) ?? default };
            folder.Write(state);
            await ArriveAsync(id, listener, agent, folder, cancellation).ConfigureAwait(false);
            return Sandbox(id, folder, state, listener);
        }
        catch
        {
            if (listener is not null)
                await listener.DisposeAsync().ConfigureAwait(false);
            await RemoveAsync(id, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        if (handle.Version != MockState.Version || MockState.Parse(System.Text.Encoding.UTF8.GetBytes(handle.State)) is not { } state)
            throw new StacyVMException(ProblemKind.Internal, $"sandbox {id}: its handle of version {handle.Version} cannot be read");
        if (!state.IsAlive)
            return null;
        var folder = new MockFolder(host, id);
        if (folder.IsPaused)
            await StopAsync(folder, state, cancellation).ConfigureAwait(false);
        else
            ProcessStop.Continue(MarkedProcesses.All(folder.Mark, state.Process));
        return Sandbox(id, folder, state, host.Listen(id, state.Token));
    }

    public Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        var found = new List<ListedRuntime>();
        string all = Path.Combine(host.DataDirectory, "sandboxes");
        foreach (string path in Directory.Exists(all) ? Directory.EnumerateDirectories(all) : [])
        {
            string id = Path.GetFileName(path);
            if (!SandboxId.IsSafe(id) || new MockFolder(host, id) is not { IsMarked: true } folder)
                continue;
            MockState? state = folder.Read();
            bool running = state?.IsAlive == true;
            found.Add(new ListedRuntime(id, running, running ? state!.ToHandle() : null, ImageName, state?.CreatedAt));
        }
        return Task.FromResult<IReadOnlyList<ListedRuntime>>(found);
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        var folder = new MockFolder(host, id);
        if (folder.Exists && !folder.IsMarked)
            return;
        ProcessIdentity agent = folder.Read() is { IsAlive: true } state ? state.Process : default;
        await MarkedProcesses.EndAsync(folder.Mark, agent).ConfigureAwait(false);
        folder.Remove();
    }

    private MockSandbox Sandbox(string id, MockFolder folder, MockState state, AgentListener listener) =>
        new(new AgentSandbox(id, listener, new MockPlace(folder, state, () => RemoveAsync(id, CancellationToken.None))), folder);

    private StartProcessRequest Request(MockFolder folder, string token) => new()
    {
        // The launcher hands its own private variables to nobody, so the agent gets them from env, together with a clean environment.
        Arguments =
        [
            Env, "-i",
            folder.Mark,
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "TERM=xterm-256color",
            $"HOME={folder.Workspace}",
            $"WORKSPACE={folder.Workspace}",
            $"SANDBOX_ROOT={folder.Root}",
            $"{AgentProtocol.DialVariable}=unix:{folder.Socket}",
            $"{AgentProtocol.TokenVariable}={token}",
            $"{AgentProtocol.WorkdirVariable}={folder.Workspace}",
            host.AgentPath,
        ],
        WorkingDirectory = folder.Workspace,
        Files = [new(0, "/dev/null", false), new(1, folder.Console, true), new(2, folder.Console, true)],
    };

    private static async Task ArriveAsync(string id, AgentListener listener, LaunchedProgram agent, MockFolder folder, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<AgentConnection> arrival = listener.GetAsync(StartBound, bound.Token).AsTask();
        if (await Task.WhenAny(arrival, agent.Exited).ConfigureAwait(false) == arrival)
        {
            await arrival.ConfigureAwait(false);
            return;
        }
        await bound.CancelAsync().ConfigureAwait(false);
        await arrival.ContinueWith(static task => task.Exception, TaskScheduler.Default).ConfigureAwait(false);
        ProcessExit exit = await agent.Exited.ConfigureAwait(false);
        throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the agent of sandbox {id} ended with code {exit.ExitCode} as soon as it had started: {string.Join("; ", folder.ReadConsole(3))}");
    }
}
