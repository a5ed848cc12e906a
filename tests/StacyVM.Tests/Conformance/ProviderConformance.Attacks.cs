using System.Net;
using System.Net.Sockets;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

/// <summary>What is tried against every wall, from inside and through the file interface; a canary stands outside.</summary>
public abstract partial class ProviderConformance
{
    [Fact]
    public async Task A_working_directory_among_descriptors_leads_nowhere()
    {
        Assert.SkipUnless(Isolates, NoWall);
        ISandbox sandbox = await CreateAsync();
        for (int number = 3; number < 32; number++)
        {
            foreach (string directory in (string[])[$"/proc/self/fd/{number}", $"/proc/1/fd/{number}"])
            {
                StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(
                    () => sandbox.StartAsync(new ExecSpec { Arguments = ["/bin/true"], WorkingDirectory = directory }, Stop));
                Assert.True(problem.Kind == ProblemKind.InvalidInput, $"{directory}: {problem.Message}");
            }
        }
        // 3 is the directory that ls itself reads.
        Assert.Equal("0 1 2 3", (await sandbox.ShellAsync("ls /proc/self/fd | tr '\\n' ' '", Stop)).Output.Trim());
    }

    [Fact]
    public async Task Switches_of_the_kernel_are_out_of_reach()
    {
        Assert.SkipUnless(Isolates, NoWall);
        ISandbox sandbox = await CreateAsync();
        foreach (string attempt in (string[])
        [
            "echo x >/proc/sys/kernel/core_pattern", "echo b >/proc/sysrq-trigger", "echo 1 >/proc/sys/kernel/panic", "echo -17 >/proc/1/oom_adj",
            "head -c 1 /proc/kcore | grep -q .", "head -c 1 /dev/mem | grep -q .", "head -c 1 /dev/kmsg | grep -q .", "mknod /workspace/disk b 8 0 && head -c 1 /workspace/disk",
            "mount -o remount,rw /", "mount -t proc proc /workspace", "chroot / true", "chown 0 /workspace", "cp /bin/sh /workspace/sh && chmod 4755 /workspace/sh && chown 0 /workspace/sh",
        ])
        {
            Assert.False((await sandbox.ShellAsync($"({attempt}) 2>/dev/null", Stop)).Code == 0, attempt);
        }
    }

    [Fact]
    public async Task Ports_of_the_host_are_out_of_reach()
    {
        Assert.SkipUnless(Isolates, NoWall);
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        ISandbox sandbox = await CreateAsync();
        Assert.Equal(0, (await sandbox.RunAsync(Stop, "busybox", "true")).Code);
        string[] hosts = ["127.0.0.1", "172.17.0.1", "192.168.65.7", "169.254.169.254", "10.0.2.2", .. Addresses()];
        foreach (string host in hosts)
        {
            foreach (int at in (int[])[port, 2375, 2376, 7423])
                Assert.False((await sandbox.ShellAsync($"busybox nc -w 2 {host} {at} </dev/null 2>/dev/null", Stop)).Code == 0, $"{host}:{at}");
        }
        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task Links_that_flip_during_transfers_lead_nowhere()
    {
        const int Transfers = 150;
        Assert.SkipUnless(Isolates && KeepsProcesses, NoWall);
        string outside = Path.Combine(DataDirectory, "outside");
        Directory.CreateDirectory(outside);
        await File.WriteAllTextAsync(Path.Combine(outside, "file"), "canary", Stop);
        ISandbox sandbox = await CreateAsync();
        await using IExecSession flipping = await sandbox.StartAsync(
            Shell($"mkdir real; echo inside >real/file; echo ready; while :; do ln -sfn real d; ln -sfn {outside} d; ln -sfn / d; done"), Stop);
        await flipping.ReadUntilAsync("ready", Stop);
        for (int i = 0; i < Transfers; i++)
        {
            try
            {
                await WriteAsync(sandbox, "/workspace/d/file", "inside");
                Assert.DoesNotContain("canary", System.Text.Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/d/file")), StringComparison.Ordinal);
            }
            catch (StacyVMException problem) when (problem.Kind is ProblemKind.NotFound or ProblemKind.InvalidInput or ProblemKind.Forbidden or ProblemKind.Conflict)
            {
                // The link led to where nothing is, or where the sandbox's user may not write.
            }
        }
        Assert.Equal("canary", await File.ReadAllTextAsync(Path.Combine(outside, "file"), Stop));
        Assert.Single(Directory.GetFileSystemEntries(outside));
    }

    /// <summary>This machine's own.</summary>
    private static IEnumerable<string> Addresses() => System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(one => one.GetIPProperties().UnicastAddresses)
        .Select(one => one.Address)
        .Where(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address))
        .Select(address => address.ToString())
        .Take(3);
}
