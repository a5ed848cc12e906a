using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Proot;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Conformance;
using Xunit;

namespace StacyVM.Tests.Providers.Proot;

public sealed class ProotConformance : ProviderConformance
{
    /// <summary>It is no boundary and says so: whoever wants to gets around it. What holds for ordinary programs is below.</summary>
    protected override bool Isolates => false;

    [Fact]
    public async Task Paths_of_the_host_mean_nothing_and_commands_are_never_root()
    {
        string canary = Path.Combine(DataDirectory, "canary");
        await File.WriteAllTextAsync(canary, "canary", Stop);
        ISandbox sandbox = await CreateAsync();
        Assert.NotEqual(0, (await sandbox.RunAsync(Stop, "cat", canary)).Code);
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, canary));
        Assert.Equal(0, (await sandbox.ShellAsync($"ln -s {canary} link; ln -s / root", Stop)).Code);
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, "/workspace/link"));
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, $"/workspace/root{canary}"));
        Assert.NotEqual("0\n", (await sandbox.RunAsync(Stop, "id", "-u")).Output);
        Assert.Contains("CapEff:\t0000000000000000", (await sandbox.RunAsync(Stop, "cat", "/proc/self/status")).Output, StringComparison.Ordinal);
        ProviderHealth health = await Provider.ProbeAsync(Stop);
        Assert.Contains("boundary", health.Gaps);
        Assert.Contains("no_security_boundary", Provider.Traits);
    }

    /// <summary>The tracer has to read the agent's memory, so that it cannot be closed to the same user; what is secret in its environment is wiped.</summary>
    [Fact]
    public override async Task The_agents_memory_and_environment_are_closed_to_commands()
    {
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.ShellAsync("for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>/dev/null | grep -c 'STACYVM_AGENT_TOKEN=.'", Stop);
        Assert.Equal("0", outcome.Output.Trim());
    }

    /// <summary>proot counts the zero at the end.</summary>
    protected override int LongestName => 254;

    private protected override ISandboxProvider Make(AgentHost host) => new ProotProvider(host, TestStore.Of(host), new ProotOptions());

    private protected override Task<string?> MissingAsync() => Task.FromResult(File.Exists("/usr/bin/proot") ? null : "proot is not installed");
}
