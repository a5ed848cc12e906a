using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Gvisor;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Conformance;

namespace StacyVM.Tests.Providers.Gvisor;

/// <summary>gVisor with the root of an image.</summary>
public sealed class GvisorConformance : ProviderConformance
{
    protected override string Image => TestStore.Busybox;

    // Not a promise of this runsc: its kernel holds the memory of all processes in one, so the control group ends them together; and it bounds
    // RLIMIT_DATA for brk alone, not for mappings (100 MB taken under a limit of 64 MB). GvisorLifeTests has what holds instead.
    protected override bool LimitsMemory => false;

    // The terminals of runsc of 2022-12 have no ISIG: the byte 3 is read as a byte, and nothing ends (seen for 120 s).
    protected override bool TypesSignals => false;

    // No such line in /proc/self/status; that set-user-id programs raise nobody is a test of its own (GvisorLifeTests).
    protected override bool TellsNoNewPrivileges => false;

    // Its path walk drops what follows a link to "/": r/usr/nothing is EISDIR, and so is r/usr/bin. A bug that shows the root and nothing else.
    protected override ProblemKind MissingBehindRootLink => ProblemKind.InvalidInput;

    private protected override Task<string?> MissingAsync() => Task.FromResult(GvisorRig.Missing);

    private protected override ISandboxProvider Make(AgentHost host)
    {
        ImageStore images = TestStore.Of(host);
        TestStore.AddBusybox(images);
        return new GvisorProvider(host, images, new GvisorOptions(), NullLoggerFactory.Instance);
    }

    /// <summary>Its processes are known to its own kernel alone: they are looked for in there.</summary>
    private protected override async Task<IReadOnlyList<int>> FindAsync(ISandbox sandbox, string text)
    {
        var found = new List<int>();
        try
        {
            foreach (var entry in await sandbox.Files.ListAsync("/proc", Stop))
            {
                if (int.TryParse(System.IO.Path.GetFileName(entry.Path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && (await CommandAsync(sandbox, pid)).Contains(text, StringComparison.Ordinal))
                    found.Add(pid);
            }
        }
        catch (StacyVMException problem) when (problem.Kind == ProblemKind.SandboxGone)
        {
            return [];
        }
        return found;
    }

    protected override IReadOnlyList<string> EchoServer(int port) => BusyboxServers.Echo(port);

    protected override IReadOnlyList<string> WebServer(int port) => BusyboxServers.Web(port);

    private async Task<string> CommandAsync(ISandbox sandbox, int pid)
    {
        try
        {
            return Encoding.UTF8.GetString(await ReadAsync(sandbox, $"/proc/{pid}/cmdline"));
        }
        catch (StacyVMException problem) when (problem.Kind is not ProblemKind.SandboxGone)
        {
            // It ended meanwhile.
            return "";
        }
    }
}
