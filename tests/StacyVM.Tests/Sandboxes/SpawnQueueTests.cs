using StacyVM.Engine.Configuration;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

/// <summary>Waiting for a place, over the whole engine, by a clock that stands still.</summary>
public sealed class SpawnQueueTests
{
    [Fact]
    public async Task At_the_global_limit_a_spawn_waits_and_is_served_when_a_sandbox_is_gone()
    {
        await using EngineFixture fixture = await OpenAsync(Queued);
        SandboxInfo first = await fixture.SpawnAsync();
        Task<SandboxInfo> waiting = fixture.SpawnAsync(owner: "ada");
        EventMessage queued = await fixture.EventAsync("spawn.queued");
        Assert.Equal(("spawn", "scripted", "ada", "1"), (queued.Data!["operation"], queued.Data["provider"], queued.Data["owner_id"], queued.Data["depth"]));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, fixture.Engine.Admission.QueueNumbers.Depth);

        fixture.Time.Advance(TimeSpan.FromSeconds(7));
        await fixture.Sandboxes.DestroyAsync(first.Id, Anyone, default);

        Assert.Equal(SandboxStates.Running, (await waiting).State);
        EventMessage dequeued = await fixture.EventAsync("spawn.dequeued");
        Assert.Equal(("spawn", "scripted", "ada", "7000"), (dequeued.Data!["operation"], dequeued.Data["provider"], dequeued.Data["owner_id"], dequeued.Data["wait_ms"]));
        Assert.Null(dequeued.SandboxId);
        SpawnQueueNumbers numbers = fixture.Engine.Admission.QueueNumbers;
        Assert.Equal((0, 1, 1, 0, 0), (numbers.Depth, numbers.Queued, numbers.Dequeued, numbers.Timeouts, numbers.Abandoned));
        Assert.Equal(TimeSpan.FromSeconds(7), numbers.WaitMax);
        Assert.Equal((1, TimeSpan.FromSeconds(7)), (numbers.WaitCount, numbers.WaitAverage));
    }

    [Fact]
    public async Task A_spawn_that_finds_a_place_is_no_wait()
    {
        await using EngineFixture fixture = await OpenAsync(Queued);
        await fixture.SpawnAsync();
        Assert.Equal(new SpawnQueueNumbers(0, 0, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero), fixture.Engine.Admission.QueueNumbers);
        Assert.DoesNotContain(fixture.Seen, message => message.Type.StartsWith("spawn.queue", StringComparison.Ordinal) || message.Type == "spawn.dequeued");
    }

    [Fact]
    public async Task The_longest_wait_ends_with_the_limit_and_its_text()
    {
        await using EngineFixture fixture = await OpenAsync(Queued);
        await fixture.SpawnAsync();
        Task<SandboxInfo> waiting = fixture.SpawnAsync(owner: "ada");
        await fixture.EventAsync("spawn.queued");

        fixture.Time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(waiting.IsCompleted);
        fixture.Time.Advance(TimeSpan.FromSeconds(0.2));

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => waiting);
        Assert.Equal(ProblemKind.ResourceLimit, problem.Kind);
        Assert.StartsWith("resource limit exceeded: spawn queue timeout after 30s: max sandboxes reached (1)", problem.Message);
        EventMessage timeout = await fixture.EventAsync("spawn.queue_timeout");
        Assert.Equal(("ada", problem.Message, "30100"), (timeout.Data!["owner_id"], timeout.Data["error"], timeout.Data["wait_ms"]));
        Assert.Equal((0, 1L, 0L), (fixture.Engine.Admission.QueueNumbers.Depth, fixture.Engine.Admission.QueueNumbers.Timeouts, fixture.Engine.Admission.QueueNumbers.WaitCount));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task A_wait_without_an_end_and_a_very_long_one_end_with_a_place(int hours)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => Queued(defaults) with { SpawnQueueTimeout = TimeSpan.FromHours(hours) });
        SandboxInfo first = await fixture.SpawnAsync(ttl: "24h");
        Task<SandboxInfo> waiting = fixture.SpawnAsync();
        await fixture.EventAsync("spawn.queued");
        fixture.Time.Advance(TimeSpan.FromHours(2));
        Assert.False(waiting.IsCompleted);
        await fixture.Sandboxes.DestroyAsync(first.Id, Anyone, default);
        Assert.Equal(SandboxStates.Running, (await waiting).State);
    }

    [Fact]
    public async Task A_client_that_goes_away_leaves_the_queue()
    {
        using var client = new CancellationTokenSource();
        await using EngineFixture fixture = await OpenAsync(Queued);
        SandboxInfo first = await fixture.SpawnAsync();
        Task<SandboxInfo> leaving = fixture.SpawnAsync(owner: "ada", cancellation: client.Token);
        await fixture.EventAsync("spawn.queued");
        Task<SandboxInfo> staying = fixture.SpawnAsync(owner: "bob");
        await fixture.EventAsync("spawn.queued", also: message => message.Data!["owner_id"] == "bob");

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        Assert.Equal(1, fixture.Engine.Admission.QueueNumbers.Depth);
        await fixture.Sandboxes.DestroyAsync(first.Id, Anyone, default);

        Assert.Equal("bob", (await staying).OwnerId);
        Assert.Equal(1, fixture.Engine.Admission.QueueNumbers.Abandoned);
        Assert.Equal(2, fixture.Provider.Creates);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_a_queue_that_is_off_refuses_at_once()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => Queued(defaults) with { MaxSpawnQueue = 1 });
        await fixture.SpawnAsync();
        Task<SandboxInfo> waiting = fixture.SpawnAsync();
        await fixture.EventAsync("spawn.queued");
        StacyVMException full = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync());
        Assert.StartsWith("resource limit exceeded: spawn queue full (1)", full.Message);
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<StacyVMException>(() => waiting);

        await fixture.RestartAsync(options: options => options with { Defaults = options.Defaults with { SpawnOverflow = "reject" } });
        StacyVMException refused = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync());
        Assert.StartsWith("resource limit exceeded: max sandboxes reached (1)", refused.Message);
    }

    [Fact]
    public async Task The_owner_limit_queues_too_and_a_raised_quota_wakes()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => Queued(defaults) with { MaxSandboxes = 0, MaxSandboxesPerOwner = 1 });
        await fixture.SpawnAsync(owner: "ada");
        Task<SandboxInfo> waiting = fixture.SpawnAsync(owner: "ada");
        await fixture.EventAsync("spawn.queued");
        await fixture.SpawnAsync(owner: "bob");
        Assert.False(waiting.IsCompleted);

        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxSandboxes = 2 });

        Assert.Equal("ada", (await waiting).OwnerId);
        Task<SandboxInfo> third = fixture.SpawnAsync(owner: "ada");
        await fixture.EventAsync("spawn.queued", also: message => message.Data!["depth"] == "1" && fixture.Engine.Admission.QueueNumbers.Queued == 2);
        Assert.False(third.IsCompleted);
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Contains("max sandboxes per owner reached (2) for ada", (await Assert.ThrowsAsync<StacyVMException>(() => third)).Message);
    }

    [Fact]
    public async Task Owners_take_turns_and_each_is_served_in_order()
    {
        await using EngineFixture fixture = await OpenAsync(Queued);
        SandboxInfo held = await fixture.SpawnAsync(owner: "ada");
        List<(string Name, Task<SandboxInfo> Spawn)> waiting = [];
        foreach (string name in (string[])["ada1", "ada2", "ada3", "bob1", "bob2"])
        {
            waiting.Add((name, fixture.SpawnAsync(owner: name[..3])));
            Assert.Equal(waiting.Count, fixture.Engine.Admission.QueueNumbers.Depth);
        }
        List<string> order = [];
        while (waiting.Count > 0)
        {
            await fixture.Sandboxes.DestroyAsync(held.Id, Anyone, default);
            Task<SandboxInfo> served = await Task.WhenAny(waiting.Select(one => one.Spawn));
            order.Add(waiting.Single(one => one.Spawn == served).Name);
            waiting.RemoveAll(one => one.Spawn == served);
            held = await served;
        }
        Assert.Equal(["ada1", "bob1", "ada2", "bob2", "ada3"], order);
    }

    [Fact]
    public async Task A_failed_create_gives_its_place_to_the_next()
    {
        var inside = new TaskCompletionSource();
        var fail = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync(Queued);
        fixture.Provider.BeforeCreate = async (_, _) =>
        {
            fixture.Provider.BeforeCreate = static (_, _) => Task.CompletedTask;
            inside.SetResult();
            await fail.Task;
            throw ScriptedProvider.Down();
        };
        Task<SandboxInfo> failing = fixture.SpawnAsync();
        await inside.Task.WaitAsync(Patience);
        Task<SandboxInfo> waiting = fixture.SpawnAsync();
        await fixture.EventAsync("spawn.queued");

        fail.SetResult();

        await Assert.ThrowsAsync<StacyVMException>(() => failing);
        Assert.Equal(SandboxStates.Running, (await waiting).State);
    }

    [Fact]
    public async Task The_end_of_the_server_ends_the_wait()
    {
        await using EngineFixture fixture = await OpenAsync(Queued);
        await fixture.SpawnAsync();
        Task<SandboxInfo> waiting = fixture.SpawnAsync();
        await fixture.EventAsync("spawn.queued");

        await fixture.Engine.StopAsync(default).WaitAsync(Patience);

        Assert.Equal(ProblemKind.Unavailable, (await Assert.ThrowsAsync<StacyVMException>(() => waiting)).Kind);
    }

    [Fact]
    public async Task After_a_restart_existing_sandboxes_hold_their_places_and_their_owners()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => Queued(defaults) with { MaxSandboxes = 2, MaxSandboxesPerOwner = 1 });
        SandboxInfo ada = await fixture.SpawnAsync(owner: "ada", ttl: "10h");
        await fixture.RestartAsync();
        Assert.Equal(1, fixture.Engine.Admission.UsageOf("ada").ActiveSandboxes);

        Task<SandboxInfo> waiting = fixture.SpawnAsync(owner: "ada");
        await fixture.EventAsync("spawn.queued");
        await fixture.SpawnAsync(owner: "bob");
        await fixture.Sandboxes.DestroyAsync(ada.Id, Anyone, default);

        Assert.Equal("ada", (await waiting).OwnerId);
    }

    /// <summary>Everything at once, on the real engine; in the end every place has been given back.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_thousand_random_spawns_ends_and_departures_leak_no_place(int seed)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => Queued(defaults) with { MaxSandboxes = 5, MaxSandboxesPerOwner = 3, SpawnQueueTimeout = TimeSpan.Zero });
        fixture.Provider.AfterCreate = static async (_, cancellation) =>
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            if (Random.Shared.Next(8) == 0)
                throw ScriptedProvider.Down();
        };
        int served = 0;
        await Task.WhenAll(Enumerable.Range(0, 10).Select(lane => Task.Run(async () =>
        {
            var random = new Random(seed * 100 + lane);
            for (int step = 0; step < 100; step++)
            {
                using var client = new CancellationTokenSource();
                if (random.Next(4) == 0)
                    client.CancelAfter(TimeSpan.FromMilliseconds(random.Next(4)));
                try
                {
                    SandboxInfo info = await fixture.SpawnAsync(owner: $"o{lane % 3}", cancellation: client.Token);
                    Interlocked.Increment(ref served);
                    Assert.InRange(fixture.World.Runtimes.Count, 0, 5);
                    await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default).WaitAsync(Patience);
                }
                catch (Exception e) when (e is StacyVMException { Kind: ProblemKind.ProviderUnavailable } or OperationCanceledException)
                {
                    // What the script does, and clients that leave.
                }
            }
        })));
        Assert.True(served > 300, $"{served} served");
        Assert.Empty(fixture.World.Runtimes);
        SpawnQueueNumbers numbers = fixture.Engine.Admission.QueueNumbers;
        Assert.Equal((0, 0L), (numbers.Depth, numbers.Queued - numbers.Dequeued - numbers.Abandoned));
        fixture.Provider.AfterCreate = static (_, _) => Task.CompletedTask;
        for (int i = 0; i < 5; i++)
            await fixture.SpawnAsync();
        Assert.Equal(5, (await fixture.Engine.Admission.DecideAsync(new SpawnRequest(), Anyone, default)).ActiveSandboxes);
    }

    private static DefaultsOptions Queued(DefaultsOptions defaults) => defaults with { MaxSandboxes = 1, SpawnOverflow = "queue" };
}
