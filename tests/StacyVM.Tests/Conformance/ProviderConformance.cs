using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

/// <summary>
/// What every provider with an agent has to do. A provider's own class says how it is made and which optional promises it gives; the facts
/// are here. After each one nothing of it may be left: processes, mounts, cgroups, files.
/// </summary>
public abstract partial class ProviderConformance : IAsyncLifetime
{
    private readonly List<string> _ids = [];
    private readonly CancellationTokenSource _deadline = new();

    private protected AgentHost Host { get; private set; } = null!;

    private protected ISandboxProvider Provider { get; private set; } = null!;

    /// <summary>Ends what a broken provider would make endless.</summary>
    protected CancellationToken Stop => _deadline.Token;

    protected string DataDirectory { get; } = Path.Combine(Path.GetTempPath(), $"stacyvm-conformance-{Guid.NewGuid():n}"[..36]);

    /// <summary>Makes the provider; called again for a second server.</summary>
    private protected abstract ISandboxProvider Make(AgentHost host);

    /// <summary>Why the level cannot be tried here, or null. A failure where <c>STACYVM_REQUIRE_RUNTIMES</c> is set.</summary>
    private protected virtual Task<string?> MissingAsync() => Task.FromResult<string?>(null);

    /// <summary>Why one test is left out of an ordinary run, or null.</summary>
    private protected virtual string? Spares(string test) => null;

    /// <summary>An image with <c>sh</c> and the usual tools.</summary>
    protected virtual string Image => "host";

    /// <summary>There is a wall.</summary>
    protected virtual bool Isolates => true;

    /// <summary>The number of processes is bounded.</summary>
    protected virtual bool LimitsProcesses => true;

    /// <summary>Memory is bounded.</summary>
    protected virtual bool LimitsMemory => true;

    /// <summary>Bytes that a name of a file can have.</summary>
    protected virtual int LongestName => 255;

    /// <summary>Commands can be fed.</summary>
    protected virtual bool TakesInput => true;

    /// <summary>Commands can have a terminal.</summary>
    protected virtual bool HasTerminals => true;

    /// <summary>What is typed on a terminal may be a signal, as control-C is.</summary>
    protected virtual bool TypesSignals => HasTerminals;

    /// <summary>Commands can be sent signals.</summary>
    protected virtual bool SendsSignals => true;

    /// <summary>Processes can be listed, outlive their session, and be attached to again.</summary>
    protected virtual bool KeepsProcesses => true;

    /// <summary>Ports can be reached.</summary>
    protected virtual bool ForwardsPorts => true;

    /// <summary>It says what it uses.</summary>
    protected virtual bool ReportsUsage => true;

    /// <summary>What runs is held by a connection of an agent, which the server's end breaks.</summary>
    protected virtual bool HasAgent => true;

    /// <summary>What is restored has its holes and its second names as files of its own have them; in the layer of an image they are others.</summary>
    protected virtual bool KeepsLayout => true;

    /// <summary>The sandbox's kernel tells of each process that it can gain no privileges.</summary>
    protected virtual bool TellsNoNewPrivileges => true;

    /// <summary>What is not there behind a link to the root is said not to be there.</summary>
    protected virtual ProblemKind MissingBehindRootLink => ProblemKind.NotFound;

    /// <summary>Commands run as root inside.</summary>
    protected virtual bool RunsAsRoot => false;

    /// <summary>How many processes with that argument run in a sandbox: as the host sees them, where it does.</summary>
    private protected virtual async Task<int> CountAsync(ISandbox sandbox, string argument) => (await FindAsync(sandbox, argument)).Count;

    /// <summary>Remains that only this level knows of, such as containers.</summary>
    private protected virtual Task<IReadOnlyList<string>> RemainsAsync() => Task.FromResult<IReadOnlyList<string>>([]);

    /// <summary>A program that prints a line when it listens and then sends back what it receives, on any number of connections; it half-closes when the client has.</summary>
    protected virtual IReadOnlyList<string> EchoServer(int port) => ["python3", "-u", "-c", $$"""
        import socket, threading
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", {{port}})); s.listen(64); print("ready")
        def echo(c):
            while True:
                b = c.recv(65536)
                if not b: break
                c.sendall(b)
            c.close()
        while True:
            threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
        """];

    /// <summary>
    /// Living processes of a sandbox whose command line holds a text: as the host sees them, where its kernel runs them. None when the sandbox is
    /// gone.
    /// </summary>
    private protected virtual Task<IReadOnlyList<int>> FindAsync(ISandbox sandbox, string text) => Task.FromResult(Remains.WithArgument(text));

    /// <summary>Waits for the number of such processes to be zero; gives back those that stayed.</summary>
    private protected async Task<IReadOnlyList<int>> GoneAsync(ISandbox sandbox, string text)
    {
        long end = Environment.TickCount64 + (long)Remains.Patience.TotalMilliseconds;
        while (true)
        {
            IReadOnlyList<int> found = await FindAsync(sandbox, text);
            if (found.Count == 0 || Environment.TickCount64 > end)
                return found;
            await Task.Delay(10, Stop);
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (await MissingAsync() is { } missing)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("STACYVM_REQUIRE_RUNTIMES") is null or "", missing);
            Assert.Fail(missing);
        }
        if (Spares(TestContext.Current.TestMethod?.MethodName ?? "") is { } spared)
            Assert.Skip(spared);
        _deadline.CancelAfter(TimeSpan.FromSeconds(120));
        Host = await OpenHostAsync();
        Provider = Make(Host);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Host is null)
            return;
        foreach (string id in _ids)
            await Provider.RemoveAsync(id, CancellationToken.None);
        await RemoveCheckpointsAsync();
        await Host.DisposeAsync();
        IReadOnlyList<string> remains = await Remains.WaitUntilNoneAsync(DataDirectory, [Host.InstallationId, .. _ids], RemainsAsync);
        if (Directory.Exists(DataDirectory))
            Directory.Delete(DataDirectory, recursive: true);
        _deadline.Dispose();
        Assert.Empty(remains);
    }

    private protected Task<AgentHost> OpenHostAsync() => AgentHost.OpenAsync(DataDirectory, PublishedAgent.Open);

    /// <summary>A new id, looked after when the test is over.</summary>
    protected string NewId()
    {
        string id = SandboxId.New();
        lock (_ids)
            _ids.Add(id);
        return id;
    }

    private protected SandboxSpec Spec => new() { Image = Image, MemoryMb = 512, Vcpus = 1, DiskMb = 4096, PidsLimit = 256 };

    private protected Task<ISandbox> CreateAsync() => Provider.CreateAsync(NewId(), Spec, null, Stop);

    private protected static async Task<StacyVMException> FailsAsync(ProblemKind kind, Func<Task> action)
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(action);
        Assert.True(problem.Kind == kind, $"{kind} expected, but: {problem.Kind}: {problem.Message}");
        return problem;
    }
}
