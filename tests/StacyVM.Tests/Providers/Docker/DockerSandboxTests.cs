using System.Diagnostics;
using System.Text;
using Docker.DotNet.Models;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Docker;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

[Collection(DockerTests.Name)]
public sealed class DockerSandboxTests(ThrowawayDaemon daemon)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_probe_proves_the_level_and_leaves_nothing(bool remote)
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon, remote: remote);

        ProviderHealth health = await site.Provider.ProbeAsync(Cancellation);

        Assert.Null(health.Error);
        Assert.True(health.Healthy);
        Assert.Contains(TestImages.Busybox, health.Images!);
        Assert.DoesNotContain(health.Images!, image => image.Contains("probe", StringComparison.Ordinal));
        Assert.Contains(remote ? "exec" : "socket", health.Enforced!["agent"]);
        Assert.Empty(await daemon.ContainersAsync());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task The_workspace_belongs_to_an_ordinary_user(bool remote, bool readOnly)
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon, new DockerOptions { ReadOnlyRootfs = readOnly }, remote);
        ISandbox sandbox = await site.CreateAsync();

        Assert.Equal("uid=1000 gid=1000 groups=1000\n/workspace\nyes\n1000 1000", await DockerSite.ShellAsync(sandbox, "id; pwd; echo $FROM_IMAGE; echo x >file && stat -c '%u %g' file"));
        await sandbox.Files.WriteAsync("/workspace/deep/er.txt", new MemoryStream("hello"u8.ToArray()), null, Cancellation);
        Assert.Equal("hello", await DockerSite.ShellAsync(sandbox, "cat deep/er.txt"));
        Assert.Equal("writable", await DockerSite.ShellAsync(sandbox, "echo writable >/tmp/x && cat /tmp/x"));
        Assert.NotEqual(0, (await DockerSite.RunAsync(sandbox, "touch", "/etc/x")).Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_image_without_a_shell_runs_commands_and_keeps_files(bool remote)
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon, remote: remote);
        ISandbox sandbox = await site.CreateAsync(TestImages.Bare);

        Assert.Equal((0, "hi there"), await DockerSite.RunAsync(sandbox, "/busybox", "echo", "hi there"));
        Assert.Equal(127, (await DockerSite.RunAsync(sandbox, "sh", "-c", "true")).Code);
        await sandbox.Files.WriteAsync("/workspace/a", new MemoryStream("data"u8.ToArray()), null, Cancellation);
        await using FileContent content = await sandbox.Files.OpenReadAsync("/workspace/a", 0, long.MaxValue, Cancellation);
        using var reader = new StreamReader(content.Stream);
        Assert.Equal("data", await reader.ReadToEndAsync(Cancellation));
    }

    [Fact]
    public async Task The_container_has_no_power_beyond_its_own_files()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        string status = await DockerSite.ShellAsync(sandbox, "cat /proc/self/status");
        foreach (string set in new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            Assert.Contains($"{set}:\t0000000000000000", status);
        Assert.Contains("NoNewPrivs:\t1", status);
        Assert.Contains("Seccomp:\t2", status);
        Assert.Equal("0", await DockerSite.ShellAsync(sandbox, "ulimit -c"));
        Assert.Equal("lo", await DockerSite.ShellAsync(sandbox, "ls /sys/class/net"));
        Assert.DoesNotContain("STACYVM_AGENT", await DockerSite.ShellAsync(sandbox, "env; cat /proc/1/environ"));
    }

    [Fact]
    public async Task Labels_say_whose_it_is_and_the_limits_are_those_of_the_spec()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        string id = DockerSite.NewId();
        SandboxSpec spec = DockerSite.Spec() with { Metadata = new Dictionary<string, string> { ["team"] = "a \"b\"" } };
        await site.Provider.CreateAsync(id, spec, null, Cancellation);

        ContainerInspectResponse made = await daemon.Client.Containers.InspectContainerAsync(id, Cancellation);

        Assert.Equal("true", made.Config!.Labels!["stacyvm"]);
        Assert.Equal("docker", made.Config.Labels["stacyvm.provider"]);
        Assert.Equal(id, made.Config.Labels["stacyvm.sandbox"]);
        Assert.Equal(TestImages.Busybox, made.Config.Labels["stacyvm.image"]);
        Assert.Equal("{\"team\":\"a \\u0022b\\u0022\"}", made.Config.Labels["stacyvm.metadata"]);
        Assert.Equal(site.Host.InstallationId, made.Config.Labels["stacyvm.installation"]);
        Assert.Equal(128L << 20, made.HostConfig!.Memory);
        Assert.Equal(256, made.HostConfig.PidsLimit);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restarted_server_takes_up_the_sandbox_with_its_processes(bool remote)
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon, remote: remote);
        ISandbox before = await site.CreateAsync();
        uint process;
        await using (IExecSession detached = await before.StartAsync(new ExecSpec { Arguments = ["sleep", "600"], Detached = true }, Cancellation))
            process = detached.Process;

        await site.RestartServerAsync();
        ListedRuntime listed = Assert.Single(await site.Provider.ListAsync(Cancellation));
        Assert.Equal((before.Id, true, before.Handle), (listed.Id, listed.Running, listed.Handle));
        Assert.InRange(listed.CreatedAt!.Value, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(1));
        ISandbox? after = await site.Provider.RecoverAsync(before.Id, before.Handle, Cancellation);

        Assert.NotNull(after);
        await using (IExecSession again = await ((IKeepsProcesses)after).AttachAsync(process, 0, Cancellation))
        {
            Assert.False(again.Exit.IsCompleted);
            await again.KillAsync(Cancellation);
            while (await again.ReadAsync(Cancellation) is not null)
            {
            }
            Assert.Equal(137, (await again.Exit.WaitAsync(Cancellation)).Code);
        }
        await after.DestroyAsync(Cancellation);
        Assert.Null(await site.Provider.RecoverAsync(before.Id, before.Handle, Cancellation));
    }

    [Fact]
    public async Task What_was_killed_says_why_and_what_was_removed_is_gone()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        await daemon.Client.Containers.KillContainerAsync(sandbox.Id, new ContainerKillParameters { Signal = "KILL" }, Cancellation);
        await daemon.Client.Containers.WaitContainerAsync(sandbox.Id, Cancellation);
        RuntimeStatus killed = await sandbox.StatusAsync(Cancellation);
        Assert.Equal(RuntimeState.Stopped, killed.State);
        Assert.Contains("signal 9", killed.Reason);
        Assert.False(Assert.Single(await site.Provider.ListAsync(Cancellation)).Running);

        await sandbox.DestroyAsync(Cancellation);
        Assert.Equal(RuntimeState.Gone, (await sandbox.StatusAsync(Cancellation)).State);
        await site.Provider.RemoveAsync(sandbox.Id, Cancellation);
    }

    [Fact]
    public async Task A_paused_container_is_said_to_be_paused()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        await daemon.Client.Containers.PauseContainerAsync(sandbox.Id, Cancellation);

        Assert.Equal(RuntimeState.Paused, (await sandbox.StatusAsync(Cancellation)).State);
        await sandbox.DestroyAsync(Cancellation);
    }

    [Fact]
    public async Task A_restart_of_the_daemon_is_told_truthfully()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        await daemon.RestartAsync();

        Assert.Equal(RuntimeState.Stopped, (await sandbox.StatusAsync(Cancellation)).State);
        Assert.False(Assert.Single(await site.Provider.ListAsync(Cancellation)).Running);
        Assert.True((await site.Provider.ProbeAsync(Cancellation)).Healthy);
    }

    [Fact]
    public async Task Removal_takes_milliseconds_whatever_runs()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();
        await using IExecSession stubborn = await sandbox.StartAsync(
            new ExecSpec { Arguments = ["sh", "-c", "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 600' & echo up; sleep 600"] }, Cancellation);
        Assert.NotNull(await stubborn.ReadAsync(Cancellation));

        long start = Stopwatch.GetTimestamp();
        await sandbox.DestroyAsync(Cancellation);

        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Empty(await daemon.ContainersAsync());
        Assert.False(Directory.Exists(site.Host.SandboxDirectory(sandbox.Id)));
    }

    [Fact]
    public async Task An_abandoned_create_leaves_nothing()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        await site.Provider.ProbeAsync(Cancellation);
        for (int milliseconds = 0; milliseconds <= 300; milliseconds += 60)
        {
            using var client = new CancellationTokenSource();
            string id = DockerSite.NewId();
            Task<ISandbox> create = site.Provider.CreateAsync(id, DockerSite.Spec(), null, client.Token);
            client.CancelAfter(milliseconds);
            try
            {
                await (await create).DestroyAsync(Cancellation);
            }
            catch (OperationCanceledException)
            {
            }
            Assert.Empty(await daemon.ContainersAsync());
            Assert.False(Directory.Exists(site.Host.SandboxDirectory(id)));
        }
    }

    [Fact]
    public async Task A_create_that_was_cut_off_may_be_repeated()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        string id = DockerSite.NewId();
        await site.Provider.CreateAsync(id, DockerSite.Spec(), null, Cancellation);

        ISandbox again = await site.Provider.CreateAsync(id, DockerSite.Spec(), null, Cancellation);

        Assert.Equal((0, "again"), await DockerSite.RunAsync(again, "echo", "again"));
        Assert.Single(await site.Provider.ListAsync(Cancellation));
    }

    [Theory]
    [InlineData("stacyvm-test/missing:1", ProblemKind.InvalidInput, TestImages.Busybox)]
    [InlineData("Not An Image", ProblemKind.InvalidInput, "Not An Image")]
    public async Task An_image_that_cannot_be_had_is_a_clear_error(string image, ProblemKind kind, string named)
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);

        StacyVMException failure = await Assert.ThrowsAsync<StacyVMException>(() => site.CreateAsync(image));

        Assert.Equal(kind, failure.Kind);
        Assert.Contains(named, failure.Message);
        Assert.Empty(await daemon.ContainersAsync());
    }

    [Fact]
    public async Task A_default_image_that_is_not_there_gives_way_to_the_levels_own()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon, new DockerOptions { DefaultImage = TestImages.Busybox });

        ISandbox sandbox = await site.Provider.CreateAsync(
            DockerSite.NewId(), DockerSite.Spec("stacyvm-test/missing:1") with { ImageIsDefault = true }, null, Cancellation);

        Assert.Equal(TestImages.Busybox, sandbox.Image);
    }

    [Fact]
    public async Task Usage_and_console_come_from_the_daemon()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        SandboxUsage first = await ((IReportsUsage)sandbox).UsageAsync(Cancellation);
        await DockerSite.RunAsync(sandbox, "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
        SandboxUsage second = await ((IReportsUsage)sandbox).UsageAsync(Cancellation);

        Assert.Equal(128L << 20, second.MemoryLimitBytes);
        Assert.InRange(second.MemoryBytes, 1, 128L << 20);
        Assert.True(second.CpuTime > first.CpuTime);
        Assert.True(second.CpuPercent > 0);
        Assert.InRange(second.Processes, 1, 64);
        Assert.NotNull(await ((IConsoleLog)sandbox).TailAsync(10, Cancellation));
    }

    [Fact]
    public async Task A_runtime_that_the_daemon_does_not_have_is_named()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon, new DockerOptions { Runtime = "kata-runtime" });

        ProviderHealth health = await site.Provider.ProbeAsync(Cancellation);

        Assert.False(health.Healthy);
        Assert.Contains("kata-runtime", health.Error);
        Assert.Contains("runc", health.Error);
        Assert.Contains(RuntimeAdvice.For("kata-runtime"), health.Error);
    }
}
