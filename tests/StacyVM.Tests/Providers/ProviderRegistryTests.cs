using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Tests.Sandboxes;
using Xunit;

namespace StacyVM.Tests.Providers;

public sealed class ProviderRegistryTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedProvider _docker = new(new ScriptedWorld(), "docker");
    private readonly ScriptedProvider _bubblewrap = new(new ScriptedWorld(), "bubblewrap");
    private readonly ScriptedProvider _mock = new(new ScriptedWorld(), "mock");

    [Fact]
    public async Task Auto_takes_the_strongest_that_works()
    {
        Assert.Equal("docker", (await Registry().ResolveAsync(null, default)).Name);
        Break(_docker, "no daemon");
        Assert.Equal("bubblewrap", (await Registry().ResolveAsync("", default)).Name);
    }

    [Fact]
    public async Task Auto_passes_over_a_level_that_is_for_those_who_name_it()
    {
        _docker.Probe = static _ => Task.FromResult(new ProviderHealth(true) { Automatic = false });
        Assert.Equal("bubblewrap", (await Registry().ResolveAsync(null, default)).Name);
        Assert.Equal("docker", (await Registry().ResolveAsync("docker", default)).Name);
        Break(_bubblewrap, "bwrap is not installed");
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => Registry().ResolveAsync(null, default));
        Assert.Contains("docker: works, and is taken only by name.", problem.Message);
    }

    [Fact]
    public void Containers_are_as_strong_as_what_runs_them()
    {
        Assert.Equal(["gvisor", "docker", "qemu", "bubblewrap", "proot"], ProviderRegistry.AutoOrder("runc"));
        Assert.Equal(["docker", "gvisor", "qemu", "bubblewrap", "proot"], ProviderRegistry.AutoOrder("runsc"));
    }

    [Fact]
    public async Task Auto_never_takes_a_level_without_a_wall_and_says_what_is_missing()
    {
        Break(_docker, "no daemon.");
        Break(_bubblewrap, "bwrap is not installed");

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => Registry().ResolveAsync(null, default));

        Assert.Equal(ProblemKind.ProviderUnavailable, problem.Kind);
        Assert.Contains("docker: no daemon. bubblewrap: bwrap is not installed.", problem.Message);
        Assert.Equal("mock", (await Registry().ResolveAsync("mock", default)).Name);
    }

    [Fact]
    public async Task Health_is_asked_once_in_thirty_seconds()
    {
        ProviderRegistry registry = Registry();
        for (int i = 0; i < 10; i++)
            await registry.HealthAsync(default);
        Assert.Equal(1, _docker.Probes);

        var renewed = new TaskCompletionSource();
        _docker.Probe = _ =>
        {
            renewed.TrySetResult();
            return Task.FromResult(new ProviderHealth(true));
        };
        _time.Advance(TimeSpan.FromSeconds(31));
        await registry.HealthAsync(default);
        await renewed.Task.WaitAsync(EngineFixture.Patience);

        Assert.Equal(2, _docker.Probes);
    }

    [Fact]
    public async Task What_is_known_is_kept_fresh_without_being_asked_for()
    {
        ProviderRegistry registry = Registry();
        using var stop = new CancellationTokenSource();
        Assert.All(registry.Known(), provider => Assert.False(provider.Healthy));
        Assert.Equal(0, _docker.Probes);

        registry.Start(stop.Token);
        await registry.HealthAsync(default);
        Assert.True(registry.Known().Single(provider => provider.Name == "docker") is { Healthy: true, Default: true });

        // The round waits for the clock from some moment on: it is advanced until the next probe has come.
        var renewed = new TaskCompletionSource();
        _docker.Probe = _ =>
        {
            renewed.TrySetResult();
            return Task.FromResult(new ProviderHealth(false, "gone"));
        };
        while (!renewed.Task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(31));
            await Task.Yield();
        }
        await stop.CancelAsync();
    }

    [Fact]
    public async Task An_old_answer_is_given_while_a_slow_level_is_asked_again()
    {
        ProviderRegistry registry = Registry();
        await registry.HealthAsync(default);
        _docker.Probe = static async cancellation =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return new ProviderHealth(true);
        };
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.True((await registry.HealthAsync("docker", default).WaitAsync(EngineFixture.Patience)).Healthy);
    }

    [Fact]
    public async Task A_probe_that_hangs_or_throws_is_an_unhealthy_level()
    {
        var asked = new TaskCompletionSource();
        _docker.Probe = _ =>
        {
            asked.TrySetResult();
            return new TaskCompletionSource<ProviderHealth>().Task;
        };
        _bubblewrap.Probe = static _ => throw ScriptedProvider.Down("no user namespaces");
        ProviderRegistry registry = Registry();

        Task<IReadOnlyList<ProviderInfo>> health = registry.HealthAsync(default);
        await asked.Task.WaitAsync(EngineFixture.Patience);
        while (!health.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        IReadOnlyList<ProviderInfo> infos = await health;
        Assert.Contains("did not answer", infos[0].Error);
        Assert.Contains("no user namespaces", infos[1].Error);
        Assert.True(infos[2].Healthy);
        Assert.DoesNotContain(infos, info => info.Default);
    }

    [Fact]
    public async Task A_detail_has_settings_health_and_count()
    {
        ProviderDetail detail = await Registry().DetailAsync("docker", 3, default);

        Assert.Equal(("docker", true, true, 3, "docker"), (detail.Name, detail.Healthy, detail.Default, detail.SandboxCount, detail.Config["type"]));
        Assert.Equal(0, detail.Health.RuntimeCount);
        Assert.Contains("test_provider", detail.Health.Capabilities);
    }

    [Fact]
    public async Task A_name_that_is_not_configured_is_answered_with_those_that_are()
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => Registry().HealthAsync("kata", default));

        Assert.Equal(ProblemKind.ProviderNotFound, problem.Kind);
        Assert.Contains("docker, bubblewrap, mock", problem.Message);
    }

    private ProviderRegistry Registry() => new([_docker, _bubblewrap, _mock], "auto", NullLogger<ProviderRegistry>.Instance, _time);

    private static void Break(ScriptedProvider provider, string why) => provider.Probe = _ => Task.FromResult(new ProviderHealth(false, why));
}
