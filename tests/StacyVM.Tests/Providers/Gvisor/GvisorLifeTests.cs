using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Gvisor;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Gvisor;

public sealed class GvisorLifeTests : IAsyncLifetime
{
    private GvisorRig _rig = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _rig = await GvisorRig.OpenAsync();

    public ValueTask DisposeAsync() => _rig?.DisposeAsync() ?? default;

    [Fact]
    public async Task A_probe_really_runs_a_sandbox_once_and_says_what_is_enforced()
    {
        ProviderHealth health = await _rig.Provider.ProbeAsync(Stop);
        Assert.True(health.Healthy, health.Error);
        string[] always = ["cpu", "disk", "memory", "namespaces", "network", "pids", "seccomp", "user"];
        Assert.Equal(always, health.Enforced!.Keys.Where(name => name != "programs").Order());
        Assert.Contains("disk", health.Gaps);
        // Where this machine's own programs do not run in it, nobody gets it who has not asked for it.
        Assert.Equal(health.Automatic, !health.Enforced.ContainsKey("programs"));
        Assert.Contains("host", health.Images!);
        Assert.Empty(await _rig.Provider.ListAsync(Stop));
        Assert.Equal(health.Automatic, (await _rig.Provider.ProbeAsync(Stop)).Automatic);
    }

    [Fact]
    public async Task The_hosts_own_programs_run_read_only_as_an_ordinary_user()
    {
        ISandbox sandbox = await _rig.CreateAsync(GvisorRig.Spec("host"));
        Assert.Equal((0, "1000 /workspace"), await GvisorRig.RunAsync(sandbox, "echo $(id -u) $PWD"));
        Assert.Equal((0, "hello"), await GvisorRig.RunAsync(sandbox, "echo hello > file && cat /workspace/file && touch /tmp/x"));
        Assert.NotEqual(0, (await GvisorRig.RunAsync(sandbox, "echo > /usr/bin/stacyvm-was-here")).Code);
        Assert.NotEqual(0, (await GvisorRig.RunAsync(sandbox, "cat /etc/shadow")).Code);
        Assert.False(File.Exists("/usr/bin/stacyvm-was-here"));
    }

    [Fact]
    public async Task A_set_user_id_program_of_the_image_raises_nobody()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        // Made by the sandbox itself it would be its own user's: the host makes it root's.
        string program = Path.Combine(new GvisorFolder(_rig.Host, sandbox.Id).Workspace, "busybox");
        File.Copy("/bin/busybox", program);
        Assert.Equal(0, Libc.ChangeMode(program, 0x9ED));
        Assert.Equal((0, "1000"), await GvisorRig.RunAsync(sandbox, "/workspace/busybox id -u"));
    }

    [Fact]
    public async Task What_takes_more_memory_than_it_has_ends_with_its_sandbox_which_says_so()
    {
        ISandbox greedy = await _rig.CreateAsync(GvisorRig.Spec() with { MemoryMb = 64 });
        ISandbox neighbour = await _rig.CreateAsync();
        try
        {
            await GvisorRig.RunAsync(greedy, "head -c 600000000 /dev/zero | tail -c 599999999 | wc -c");
        }
        catch (StacyVMException problem)
        {
            Assert.Equal(ProblemKind.SandboxGone, problem.Kind);
        }
        RuntimeStatus status = await greedy.StatusAsync(Stop);
        Assert.Equal(RuntimeState.Stopped, status.State);
        Assert.Contains("out of memory", status.Reason, StringComparison.Ordinal);
        Assert.Equal((0, "ok"), await GvisorRig.RunAsync(neighbour, "echo ok"));
    }

    [Fact]
    public async Task A_new_server_takes_the_sandbox_up_and_finds_what_was_killed_stopped()
    {
        ISandbox kept = await _rig.CreateAsync();
        ISandbox killed = await _rig.CreateAsync();
        await GvisorRig.RunAsync(kept, "echo kept > file");
        await ProcessExits.KillAsync(GvisorState.Parse(Encoding.UTF8.GetBytes(killed.Handle.State)).Process, TimeSpan.FromSeconds(30));
        Assert.Equal(RuntimeState.Stopped, (await killed.StatusAsync(Stop)).State);

        _rig = await GvisorRig.OpenAsync(await _rig.AbandonAsync());
        IReadOnlyList<ListedRuntime> listed = await _rig.Provider.ListAsync(Stop);
        Assert.Equal([(kept.Id, true), (killed.Id, false)], listed.OrderByDescending(one => one.Running).Select(one => (one.Id, one.Running)));
        ISandbox after = (await _rig.Provider.RecoverAsync(kept.Id, kept.Handle, Stop))!;
        Assert.Equal((0, "kept"), await GvisorRig.RunAsync(after, "cat file"));
        Assert.Null(await _rig.Provider.RecoverAsync(killed.Id, killed.Handle, Stop));
    }

    [Fact]
    public async Task Directories_of_other_levels_are_not_its_affair()
    {
        await _rig.Provider.ProbeAsync(Stop);
        string sandboxes = Path.Combine(_rig.Directory, "sandboxes");
        string[] others = ["sb-0123456789abcdef", ".bubblewrap-sb-0123456789abcdee"];
        foreach (string name in others)
            Directory.CreateDirectory(Path.Combine(sandboxes, name, "agent"));
        File.WriteAllText(Path.Combine(sandboxes, others[0], "sandbox.json"), "{}");
        Directory.CreateDirectory(Path.Combine(sandboxes, GvisorFolder.DraftPrefix + "sb-half"));
        Assert.Equal(["sb-half"], (await _rig.Provider.ListAsync(Stop)).Select(one => one.Id));
        await _rig.Provider.RemoveAsync("sb-half", Stop);
        Assert.Empty(await _rig.Provider.ListAsync(Stop));
        foreach (string name in others)
            Directory.Delete(Path.Combine(sandboxes, name), recursive: true);
    }

    [Fact]
    public async Task A_missing_runsc_is_told_with_the_remedy_and_keeps_nothing_else_from_working()
    {
        await using var missing = new GvisorProvider(_rig.Host, _rig.Images, new GvisorOptions { RunscPath = "/nonexistent/runsc" }, NullLoggerFactory.Instance);
        Assert.Empty(await missing.ListAsync(Stop));
        await missing.RemoveAsync("sb-never", Stop);
        ProviderHealth health = await missing.ProbeAsync(Stop);
        Assert.False(health.Healthy);
        Assert.Contains("providers.gvisor.runsc_path", health.Error, StringComparison.Ordinal);
    }
}
