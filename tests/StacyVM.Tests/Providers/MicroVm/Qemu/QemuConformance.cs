using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Tests.Conformance;

namespace StacyVM.Tests.Providers.MicroVm.Qemu;

/// <summary>Machines by emulation.</summary>
public sealed class QemuConformance : ProviderConformance
{
    private static readonly string[] Heavy =
    [
        nameof(A_burst_of_64_MiB_arrives_whole), nameof(Eight_are_made_and_removed_at_once), nameof(A_file_comes_back_as_it_was_written),
        nameof(Sixteen_MiB_of_stdin_come_back_through_cat), nameof(An_abandoned_create_leaves_nothing), nameof(Fifty_commands_at_once_keep_their_output_apart),
    ];

    protected override string Image => TestStore.Busybox;

    private protected override Task<string?> MissingAsync() => Task.FromResult(QemuSite.Missing);

    /// <summary>What moves much, or makes many: emulated, each of these takes as long as ten others.</summary>
    private protected override string? Spares(string test) => Heavy.Contains(test) && Environment.GetEnvironmentVariable("STACYVM_TEST_MACHINES") is null or ""
        ? "it takes long on emulated processors: set STACYVM_TEST_MACHINES=1"
        : null;

    private protected override ISandboxProvider Make(AgentHost host) => QemuSite.Provider(host);

    /// <summary>Only its agent sees into a machine. All that runs there counts, the agent and the shell of the test among it.</summary>
    private protected override async Task<int> CountAsync(ISandbox sandbox, string argument) => (await ((IReportsUsage)sandbox).UsageAsync(Stop)).Processes - 2;

    protected override IReadOnlyList<string> EchoServer(int port) => BusyboxServers.Echo(port);

    protected override IReadOnlyList<string> WebServer(int port) => BusyboxServers.Web(port);
}
