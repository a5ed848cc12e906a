using StacyVM.Engine.Providers;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>What only this level can be asked: roots of images, writers that are interrupted at any moment, servers that are killed.</summary>
public sealed class BubblewrapCheckpointTests : IAsyncLifetime
{
    /// <summary>Appends records that carry their number and their checksum, never asking for them to be on the disk, to a file that is begun anew now and then.</summary>
    private const string Writer = """
        import hashlib, os
        n = 0
        while True:
            f = open("log", "ab", 0)
            for _ in range(500):
                body = n.to_bytes(8, "big") + os.urandom(4056)
                f.write(hashlib.sha256(body).digest() + body)
                n += 1
            f.close()
            os.replace("log", "log.old")
        """;

    private const string Check = """
        import hashlib, os
        last = None
        for name in ("log.old", "log"):
            data = open(name, "rb").read() if os.path.exists(name) else b""
            assert len(data) % 4096 == 0, (name, len(data))
            for at in range(0, len(data), 4096):
                record = data[at:at + 4096]
                assert hashlib.sha256(record[32:]).digest() == record[:32], (name, at)
                n = int.from_bytes(record[32:40], "big")
                assert last is None or n == last + 1, (name, at, n, last)
                last = n
        print(last)
        """;

    private BubblewrapRig _rig = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _rig = await BubblewrapRig.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        _rig.Images.Dispose();
    }

    [Fact]
    public async Task No_record_is_torn_by_two_hundred_pauses()
    {
        ISandbox sandbox = await StartWriterAsync();
        int before = await CheckAsync(sandbox);
        for (int cycle = 0; cycle < 200; cycle++)
        {
            await _rig.Provider.PauseAsync(sandbox.Id, Stop);
            Assert.Equal(RuntimeState.Paused, (await sandbox.StatusAsync(Stop)).State);
            await _rig.Provider.ResumeAsync(sandbox.Id, Stop);
        }
        await Eventually(async () => await CheckAsync(sandbox) > before);
        await sandbox.DestroyAsync(Stop);
    }

    [Fact]
    public async Task No_record_is_torn_in_fifty_forks()
    {
        ISandbox parent = await StartWriterAsync();
        int last = -1;
        for (int fork = 0; fork < 50; fork++)
        {
            string checkpoint = $"cp-{fork}";
            await _rig.Provider.SaveAsync(parent.Id, checkpoint, Stop);
            ISandbox child = await _rig.Provider.RestoreAsync(SandboxId.New(), checkpoint, Spec("host"), null, Stop);
            await _rig.Provider.RemoveCheckpointAsync(checkpoint, Stop);
            int seen = await CheckAsync(child);
            Assert.True(seen >= last, $"fork {fork} ends with record {seen}, the one before it with {last}");
            last = seen;
            await child.DestroyAsync(Stop);
        }
        Assert.Empty(await _rig.Provider.ListCheckpointsAsync(Stop));
        await parent.DestroyAsync(Stop);
    }

    [Fact]
    public async Task The_changed_root_of_an_image_is_saved_and_its_image_kept()
    {
        TestStore.AddBusybox(_rig.Images);
        ISandbox parent = await _rig.Provider.CreateAsync(SandboxId.New(), Spec(TestStore.Busybox), null, Stop);
        (int code, string output) = await BubblewrapRig.RunAsync(
            parent, "rm /bin/awk && rm -r /usr && mkdir /usr && echo new >/usr/new && echo $HOSTNAME >/etc/motd && ln -s /etc/motd /etc/link && echo 0123 >/etc/machine-id && chmod 4750 /etc/motd");
        Assert.True(code == 0, output);
        await _rig.Provider.SaveAsync(parent.Id, "cp-root", Stop);
        await parent.DestroyAsync(Stop);
        Assert.Empty(_rig.Images.Prune(unnamedOnly: false).Removed);

        ISandbox one = await _rig.Provider.RestoreAsync(SandboxId.New(), "cp-root", Spec("ignored"), null, Stop);
        ISandbox two = await _rig.Provider.RestoreAsync(SandboxId.New(), "cp-root", Spec("ignored"), null, Stop);
        Assert.Equal(TestStore.Busybox, one.Image);
        const string Look = "ls /bin/awk 2>/dev/null; ls /usr; cat /usr/new; readlink /etc/link; stat -c '%a %u' /etc/motd; cat /etc/hostname; echo again >>/etc/motd && rm /usr/new && echo done";
        foreach (ISandbox child in (ISandbox[])[one, two])
            Assert.Equal(["new", "new", "/etc/motd", "4750 1000", child.Id, "done"], (await BubblewrapRig.RunAsync(child, Look)).Output.Split('\n'));
        string[] identities = [(await BubblewrapRig.RunAsync(one, "cat /etc/machine-id")).Output, (await BubblewrapRig.RunAsync(two, "cat /etc/machine-id")).Output];
        Assert.All(identities, identity => Assert.Equal(32, identity.Length));
        Assert.NotEqual(identities[0], identities[1]);
        await one.DestroyAsync(Stop);
        await two.DestroyAsync(Stop);
        await _rig.Provider.RemoveCheckpointAsync("cp-root", Stop);
        Assert.Equal([TestStore.Busybox], _rig.Images.Prune(unnamedOnly: false).Removed);
    }

    [Fact]
    public async Task A_server_that_was_killed_while_it_saved_leaves_no_sandbox_standing()
    {
        ISandbox before = await _rig.CreateAsync();
        // Frozen without the mark of a pause: what a save looks like from outside.
        await _rig.Provider.PauseAsync(before.Id, Stop);
        File.Delete(Path.Combine(_rig.Host.SandboxDirectory(before.Id), "paused"));
        string draft = Path.Combine(_rig.Directory, "checkpoints", ".bubblewrap-cp-half");
        Directory.CreateDirectory(Path.Combine(draft, "workspace"));
        string directory = await _rig.AbandonAsync();
        _rig = await BubblewrapRig.OpenAsync(directory);
        ISandbox after = (await _rig.Provider.RecoverAsync(before.Id, before.Handle, Stop))!;
        Assert.Equal(RuntimeState.Running, (await after.StatusAsync(Stop)).State);
        Assert.Equal("on", (await BubblewrapRig.RunAsync(after, "echo on")).Output);
        Assert.Equal(["cp-half"], await _rig.Provider.ListCheckpointsAsync(Stop));
        await _rig.Provider.RemoveCheckpointAsync("cp-half", Stop);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_rig.Directory, "checkpoints")));
    }

    [Fact]
    public async Task A_tree_that_cannot_be_copied_is_refused_and_the_sandbox_runs_on()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        Assert.Equal(0, (await BubblewrapRig.RunAsync(sandbox, "i=0; while [ $i -lt 600 ]; do mkdir d && cd d || exit 1; i=$((i+1)); done")).Code);
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => _rig.Provider.SaveAsync(sandbox.Id, "cp-deep", Stop));
        Assert.Equal(ProblemKind.Conflict, problem.Kind);
        Assert.Contains("deep", problem.Message, StringComparison.Ordinal);
        Assert.Equal("on", (await BubblewrapRig.RunAsync(sandbox, "echo on")).Output);
        Assert.Empty(await _rig.Provider.ListCheckpointsAsync(Stop));
        await sandbox.DestroyAsync(Stop);
    }

    private static SandboxSpec Spec(string image) => BubblewrapRig.Spec() with { Image = image };

    private async Task<ISandbox> StartWriterAsync()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        await sandbox.Files.WriteAsync("/workspace/write.py", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Writer)), null, Stop);
        await sandbox.Files.WriteAsync("/workspace/check.py", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Check)), null, Stop);
        IExecSession session = await sandbox.StartAsync(new ExecSpec { Arguments = ["/usr/bin/python3", "write.py"], Detached = true }, Stop);
        await session.DisposeAsync();
        await Eventually(async () => (await BubblewrapRig.RunAsync(sandbox, "[ -s log.old ]")).Code == 0);
        return sandbox;
    }

    /// <returns>Number of the last record.</returns>
    private async Task<int> CheckAsync(ISandbox sandbox)
    {
        // The writer would move the files from under the check.
        bool writes = (await BubblewrapRig.RunAsync(sandbox, "pkill -STOP -f '[w]rite.py'")).Code == 0;
        (int code, string output) = await BubblewrapRig.RunAsync(sandbox, "/usr/bin/python3 check.py 2>&1");
        if (writes)
            await BubblewrapRig.RunAsync(sandbox, "pkill -CONT -f '[w]rite.py'");
        Assert.True(code == 0, output);
        return int.Parse(output, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        for (long end = Environment.TickCount64 + 30_000; !await condition(); await Task.Delay(20, Stop))
            Assert.True(Environment.TickCount64 < end, "it did not come true within 30 s");
    }
}
