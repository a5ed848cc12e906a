using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    [Fact]
    public async Task The_probe_says_that_it_works()
    {
        ProviderHealth health = await Provider.ProbeAsync(Stop);
        Assert.True(health.Healthy, health.Error);
        Assert.Empty(await Provider.ListAsync(Stop));
    }

    [Fact]
    public async Task A_created_sandbox_runs_and_says_what_it_is()
    {
        string id = NewId();
        ISandbox sandbox = await Provider.CreateAsync(id, Spec, null, Stop);
        Assert.Equal(id, sandbox.Id);
        Assert.NotEmpty(sandbox.Image);
        Assert.NotEmpty(sandbox.Handle.State);
        Assert.Equal(RuntimeState.Running, (await sandbox.StatusAsync(Stop)).State);
        Assert.Equal(0, (await sandbox.RunAsync(Stop, "true")).Code);
    }

    [Fact]
    public async Task Destroy_twice_is_not_an_error_and_what_is_destroyed_is_gone()
    {
        ISandbox sandbox = await CreateAsync();
        await sandbox.DestroyAsync(Stop);
        await sandbox.DestroyAsync(Stop);
        Assert.NotEqual(RuntimeState.Running, (await sandbox.StatusAsync(Stop)).State);
        await FailsAsync(ProblemKind.SandboxGone, () => sandbox.RunAsync(Stop, "true"));
        await FailsAsync(ProblemKind.SandboxGone, () => sandbox.Files.ListAsync("/", Stop));
        Assert.Empty(await Provider.ListAsync(Stop));
    }

    [Fact]
    public async Task Destroy_ends_what_runs_in_it()
    {
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        IExecSession session = await sandbox.StartAsync(Shell($"sleep {mark} & setsid sleep {mark} & echo ready; wait"), Stop);
        await session.ReadUntilAsync("ready", Stop);
        Task<Outcome> waiting = session.CollectAsync(Stop);
        await sandbox.DestroyAsync(Stop);
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
        await FailsAsync(ProblemKind.SandboxGone, () => waiting);
        await session.DisposeAsync();
    }

    [Fact]
    public async Task The_list_holds_own_sandboxes_and_no_one_elses()
    {
        ISandbox first = await CreateAsync();
        ISandbox second = await CreateAsync();
        IReadOnlyList<ListedRuntime> listed = await Provider.ListAsync(Stop);
        Assert.Equal(new[] { first.Id, second.Id }.Order(), listed.Select(one => one.Id).Order());
        Assert.All(listed, one => Assert.True(one.Running));

        string elsewhere = DataDirectory + "-other";
        await using (AgentHost other = await AgentHost.OpenAsync(elsewhere, PublishedAgent.Open))
            Assert.Empty(await Make(other).ListAsync(Stop));
        Directory.Delete(elsewhere, recursive: true);
    }

    [Fact]
    public async Task Removal_needs_no_handle_and_an_unknown_id_is_success()
    {
        ISandbox sandbox = await CreateAsync();
        ISandboxProvider stranger = Make(Host);
        await stranger.RemoveAsync(sandbox.Id, Stop);
        Assert.Empty(await Provider.ListAsync(Stop));
        await stranger.RemoveAsync(sandbox.Id, Stop);
        await stranger.RemoveAsync(NewId(), Stop);
    }

    [Fact]
    public async Task A_create_that_was_cut_off_can_be_repeated_under_its_id()
    {
        string id = NewId();
        await Provider.CreateAsync(id, Spec, null, Stop);
        ISandbox again = await Provider.CreateAsync(id, Spec, null, Stop);
        Assert.Equal(0, (await again.RunAsync(Stop, "true")).Code);
        Assert.Single(await Provider.ListAsync(Stop));
    }

    [Fact]
    public async Task An_abandoned_create_leaves_nothing()
    {
        foreach (int milliseconds in new[] { 0, 1, 3, 10, 30 })
        {
            using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
            try
            {
                ISandbox sandbox = await Provider.CreateAsync(NewId(), Spec, null, cancellation.Token);
                await sandbox.DestroyAsync(Stop);
            }
            catch (OperationCanceledException)
            {
                // Wherever it was cut off.
            }
            Assert.Empty(await Provider.ListAsync(Stop));
        }
    }

    [Fact]
    public async Task Eight_are_made_and_removed_at_once()
    {
        ISandbox[] sandboxes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CreateAsync()));
        Outcome[] outcomes = await Task.WhenAll(sandboxes.Select((sandbox, i) => sandbox.RunAsync(Stop, "echo", $"{i}")));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i}\n"), outcomes.Select(outcome => outcome.Output));
        await Task.WhenAll(sandboxes.Select(sandbox => sandbox.DestroyAsync(Stop)));
        Assert.Empty(await Provider.ListAsync(Stop));
    }

    [Fact]
    public async Task Usage_and_console_answer()
    {
        Assert.SkipUnless(ReportsUsage, "this level does not say what it uses");
        ISandbox sandbox = await CreateAsync();
        SandboxUsage usage = await Assert.IsAssignableFrom<IReportsUsage>(sandbox).UsageAsync(Stop);
        Assert.True(usage.MemoryBytes > 0, $"{usage}");
        Assert.True(usage.Processes > 0, $"{usage}");
        Assert.NotNull(await Assert.IsAssignableFrom<IConsoleLog>(sandbox).TailAsync(10, Stop));
    }

    private static int _mark = Random.Shared.Next(100_000, 900_000);

    /// <summary>A number of seconds that no other process of this machine sleeps.</summary>
    private static string Mark() => $"{Interlocked.Increment(ref _mark)}{Environment.ProcessId}";

    private static ExecSpec Shell(string script) => new() { Arguments = ["sh", "-c", script] };
}
