using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

public sealed class CreationTests
{
    [Fact]
    public async Task A_created_sandbox_runs_is_listed_and_is_announced_in_order()
    {
        await using EngineFixture fixture = await OpenAsync();

        SandboxInfo info = await fixture.SpawnAsync(ttl: "5m", owner: "ada");

        Assert.Equal(SandboxStates.Running, info.State);
        Assert.Equal("host", info.Image);
        Assert.Equal("ada", info.OwnerId);
        Assert.Equal("local", info.WorkerId);
        Assert.Equal(fixture.Time.GetUtcNow().UtcDateTime.AddMinutes(5), info.ExpiresAt);
        Assert.Equal(info, Assert.Single(fixture.Sandboxes.List(Anyone)));
        await fixture.EventAsync("sandbox.running", info.Id);
        Assert.Equal(
            ["spawn.progress", "sandbox.created", "sandbox.running"],
            fixture.Seen.Where(message => message.SandboxId == info.Id).Select(message => message.Type));
    }

    [Fact]
    public async Task A_running_record_is_durable_before_the_caller_has_it()
    {
        await using EngineFixture fixture = await OpenAsync();

        SandboxInfo info = await fixture.SpawnAsync();

        SandboxRecord stored = Assert.Single(await fixture.Engine.Store.LoadAsync(default));
        Assert.Equal((info.Id, SandboxStates.Running, ScriptedSandbox.HandleOf(info.Id)), (stored.Id, stored.State, stored.Handle));
    }

    [Fact]
    public async Task A_creating_record_is_durable_before_anything_is_built()
    {
        SandboxRecord? atBuild = null;
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.BeforeCreate = async (id, _) =>
            atBuild = (await fixture.Engine.Store.LoadAsync(default)).Single(record => record.Id == id);

        await fixture.SpawnAsync();

        Assert.Equal(SandboxStates.Creating, atBuild?.State);
    }

    [Fact]
    public async Task Parallel_creates_never_pass_the_limit_together()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 10 });

        Exception?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () => await Record.ExceptionAsync(() => fixture.SpawnAsync()))));

        Assert.Equal(10, outcomes.Count(outcome => outcome is null));
        Assert.All(outcomes.Where(outcome => outcome is not null), outcome => Assert.Equal(ProblemKind.ResourceLimit, Assert.IsType<StacyVMException>(outcome).Kind));
        Assert.Equal(10, fixture.World.Runtimes.Count);
    }

    [Fact]
    public async Task An_owner_has_a_limit_of_its_own_and_a_destroy_makes_room()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxesPerOwner = 1 });
        SandboxInfo first = await fixture.SpawnAsync(owner: "ada");

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync(owner: "ada"));
        await fixture.SpawnAsync(owner: "bob");
        await fixture.Sandboxes.DestroyAsync(first.Id, Anyone, default);
        await fixture.SpawnAsync(owner: "ada");

        Assert.Contains("max sandboxes per owner reached (1)", problem.Message);
    }

    [Fact]
    public async Task Creates_run_in_parallel()
    {
        var all = new TaskCompletionSource();
        int inside = 0;
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.BeforeCreate = (_, cancellation) =>
        {
            if (Interlocked.Increment(ref inside) == 8)
                all.SetResult();
            return all.Task.WaitAsync(Patience, cancellation);
        };

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => fixture.SpawnAsync()));

        Assert.Equal(8, fixture.World.Runtimes.Count);
    }

    [Fact]
    public async Task An_abandoned_create_leaves_nothing()
    {
        using var client = new CancellationTokenSource();
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 1 });
        fixture.Provider.AfterCreate = async (_, cancellation) =>
        {
            await client.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellation);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.SpawnAsync(cancellation: client.Token));

        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
        Assert.Empty(await fixture.Engine.Store.LoadAsync(default));
        fixture.Provider.AfterCreate = static (_, _) => Task.CompletedTask;
        await fixture.SpawnAsync();
    }

    [Fact]
    public async Task A_client_that_leaves_at_the_last_moment_leaves_nothing()
    {
        using var client = new CancellationTokenSource();
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.AfterCreate = (_, _) => client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.SpawnAsync(cancellation: client.Token));

        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
    }

    [Fact]
    public async Task A_failed_create_leaves_nothing_even_where_the_provider_left_something()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 1 });
        fixture.Provider.AfterCreate = static (_, _) => throw ScriptedProvider.Down("no space on the daemon");

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync());

        Assert.Equal(ProblemKind.ProviderUnavailable, problem.Kind);
        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(await fixture.Engine.Store.LoadAsync(default));
        Assert.Equal("no space on the daemon", (await fixture.EventAsync("provider.failed")).Data!["error"].Split(": ")[^1]);
        fixture.Provider.AfterCreate = static (_, _) => Task.CompletedTask;
        await fixture.SpawnAsync();
    }

    [Fact]
    public async Task A_failed_create_that_cannot_be_undone_stays_destroying_until_it_can()
    {
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.AfterCreate = static (_, _) => throw ScriptedProvider.Down();
        fixture.Provider.BeforeRemove = static (_, _) => throw ScriptedProvider.Down();

        await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync());

        SandboxInfo left = Assert.Single(fixture.Sandboxes.List(Anyone));
        Assert.Equal(SandboxStates.Destroying, left.State);
        Assert.Contains("the daemon does not answer", left.Reason);
        fixture.Provider.BeforeRemove = static (_, _) => Task.CompletedTask;
        await fixture.Sandboxes.DestroyAsync(left.Id, Anyone, default);
        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
    }

    [Theory]
    [InlineData("alpine; rm -rf /", null, null, null, null, "image")]
    [InlineData("--privileged", null, null, null, null, "image")]
    [InlineData("a\nb", null, null, null, null, "image")]
    [InlineData(null, 15, null, null, null, "memory_mb")]
    [InlineData(null, -1, null, null, null, "memory_mb")]
    [InlineData(null, 1_048_577, null, null, null, "memory_mb")]
    [InlineData(null, null, -1, null, null, "vcpus")]
    [InlineData(null, null, 257, null, null, "vcpus")]
    [InlineData(null, null, null, "0s", null, "ttl")]
    [InlineData(null, null, null, "-5m", null, "ttl")]
    [InlineData(null, null, null, "soon", null, "ttl")]
    [InlineData(null, null, null, "5", null, "ttl")]
    [InlineData(null, null, null, null, "a/b", "owner_id")]
    [InlineData(null, null, null, null, "a\\b", "owner_id")]
    [InlineData(null, null, null, null, "a b", "owner_id")]
    [InlineData(null, null, null, null, "a\u0001b", "owner_id")]
    public async Task A_bad_value_is_refused_by_its_name(string? image, int? memory, int? vcpus, string? ttl, string? owner, string named)
    {
        await using EngineFixture fixture = await OpenAsync();
        var request = new SpawnRequest { Image = image, MemoryMb = memory, Vcpus = vcpus, Ttl = ttl, OwnerId = owner };

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.CreateAsync(request, Anyone, default));

        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.StartsWith($"invalid input: {named}", problem.Message);
        Assert.Equal(0, fixture.Provider.Creates);
    }

    [Fact]
    public async Task An_unknown_template_is_refused_and_not_ignored()
    {
        await using EngineFixture fixture = await OpenAsync();

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(
            () => fixture.Sandboxes.CreateAsync(new SpawnRequest { Template = "python" }, Anyone, default));

        Assert.Equal((ProblemKind.NotFound, "not found: template python"), (problem.Kind, problem.Message));
        Assert.Equal(0, fixture.Provider.Creates);
    }

    [Fact]
    public async Task A_ttl_above_the_maximum_is_a_limit()
    {
        await using EngineFixture fixture = await OpenAsync();

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync(ttl: "25h"));

        Assert.Equal((ProblemKind.ResourceLimit, "resource limit exceeded: ttl exceeds max ttl: 25h0m0s > 24h0m0s"), (problem.Kind, problem.Message));
    }

    [Fact]
    public async Task An_unknown_provider_is_answered_with_those_that_exist()
    {
        await using EngineFixture fixture = await OpenAsync();

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(
            () => fixture.Sandboxes.CreateAsync(new SpawnRequest { Provider = "firecracker" }, Anyone, default));

        Assert.Equal(ProblemKind.ProviderNotFound, problem.Kind);
        Assert.Contains("scripted", problem.Message);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("alpine:latest", true)]
    [InlineData("python:3.12", false)]
    public async Task The_SDKs_own_default_image_is_no_wish(string? image, bool isDefault)
    {
        await using EngineFixture fixture = await OpenAsync();

        await fixture.Sandboxes.CreateAsync(new SpawnRequest { Image = image }, Anyone, default);

        Assert.Equal(isDefault, fixture.Provider.LastSpec!.ImageIsDefault);
    }

    [Fact]
    public async Task The_callers_owner_and_tenant_win_over_the_bodys()
    {
        await using EngineFixture fixture = await OpenAsync();
        var caller = new Caller("api", "ada", "acme", "ada");

        SandboxInfo info = await fixture.Sandboxes.CreateAsync(new SpawnRequest { OwnerId = "mallory", TenantId = "other" }, caller, default);

        Assert.Equal(("ada", "acme"), (info.OwnerId, info.TenantId));
        var other = new Caller("api", null, "other", "mallory");
        Assert.Equal(ProblemKind.SandboxNotFound, Assert.Throws<StacyVMException>(() => fixture.Sandboxes.Get(info.Id, other)).Kind);
        Assert.Empty(fixture.Sandboxes.List(other));
        await fixture.Sandboxes.DestroyAsync(info.Id, other, default);
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
    }
}
