using System.Diagnostics;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>What a guest tries, and what must come of it. Each test looks from inside the sandbox.</summary>
public sealed class BubblewrapAttackTests : IAsyncLifetime
{
    private const int Epermitted = 1, Enosys = 38, Eafnosupport = 97;
    private BubblewrapRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await BubblewrapRig.OpenAsync();

    public ValueTask DisposeAsync() => _rig?.DisposeAsync() ?? default;

    [Fact]
    public async Task Dangerous_system_calls_are_refused()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        (string Name, int Number, string Arguments, int Error)[] calls =
        [
            ("socket AF_ALG", 41, "38, 5, 0", Eafnosupport),
            ("socket AF_VSOCK", 41, "40, 1, 0", Eafnosupport),
            ("socket AF_PACKET", 41, "17, 3, 0", Eafnosupport),
            ("io_uring_setup", 425, "8, 0, 0", Enosys),
            ("userfaultfd", 323, "0, 0, 0", Epermitted),
            ("bpf", 321, "0, 0, 0", Epermitted),
            ("keyctl", 250, "0, -3, 0", Epermitted),
            ("add_key", 248, "0, 0, 0", Epermitted),
            ("perf_event_open", 298, "0, 0, -1", Epermitted),
            ("unshare user", 272, "0x10000000, 0, 0", Epermitted),
            ("unshare mount", 272, "0x20000, 0, 0", Epermitted),
            ("clone user", 56, "0x10000011, 0, 0", Epermitted),
            ("clone3", 435, "0, 0, 0", Enosys),
            ("setns", 308, "0, 0, 0", Epermitted),
            ("mount", 165, "0, 0, 0", Epermitted),
            ("open_tree", 428, "-100, 0, 0", Epermitted),
            ("fsopen", 430, "0, 0, 0", Epermitted),
            ("init_module", 175, "0, 0, 0", Epermitted),
            ("open_by_handle_at", 304, "-100, 0, 0", Epermitted),
            ("syslog", 103, "3, 0, 0", Epermitted),
            ("TIOCSTI", 16, "0, 0x5412, 0", Epermitted),
            ("x32 getpid", 0x40000000 + 39, "0, 0, 0", Enosys),
            ("above the newest", 600, "0, 0, 0", Enosys),
        ];
        string script = "import ctypes\nl = ctypes.CDLL(None, use_errno=True)\ndef c(name, n, e, *a):\n    ctypes.set_errno(0)\n    r = l.syscall(ctypes.c_long(n), *[ctypes.c_long(x) for x in a])\n"
            + "    if r != -1 or ctypes.get_errno() != e: print(name, r, ctypes.get_errno())\n"
            + string.Concat(calls.Select(call => $"c('{call.Name}', {call.Number}, {call.Error}, {call.Arguments})\n"));
        await sandbox.Files.WriteAsync("/tmp/calls.py", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(script)), null, CancellationToken.None);
        Assert.Equal((0, ""), await BubblewrapRig.RunAsync(sandbox, "/usr/bin/python3 /tmp/calls.py"));
    }

    [Fact]
    public async Task A_command_has_no_descriptor_and_no_variable_of_ours()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        // 3 is the directory that ls itself reads.
        Assert.Equal((0, "0 1 2 3"), await BubblewrapRig.RunAsync(sandbox, "ls /proc/self/fd | tr '\\n' ' '"));
        Assert.Equal((0, "0"), await BubblewrapRig.RunAsync(sandbox, "env | grep -c STACYVM || true"));
        (_, string peeked) = await BubblewrapRig.RunAsync(sandbox, "cat /proc/1/environ; ls /proc/1/fd; cat /proc/1/cmdline; cat /proc/1/mem | head -c 1");
        Assert.DoesNotContain("TOKEN", peeked, StringComparison.Ordinal);
        foreach (string file in Directory.GetFiles("/proc", "cmdline", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true }))
        {
            // The name alone is no secret; a value would follow it.
            string command = TryRead(file);
            Assert.DoesNotContain("STACYVM_AGENT_TOKEN=", command, StringComparison.Ordinal);
            Assert.DoesNotContain("STACYVM_AGENT_TOKEN\0", command, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_working_directory_that_is_a_descriptor_is_refused()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        for (int number = 3; number < 64; number++)
        {
            StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => sandbox.StartAsync(
                new ExecSpec { Arguments = ["/bin/true"], WorkingDirectory = $"/proc/self/fd/{number}" }, CancellationToken.None));
            Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        }
    }

    [Fact]
    public async Task No_file_of_the_host_is_in_sight()
    {
        string canary = Path.Combine(_rig.Directory, "canary");
        await File.WriteAllTextAsync(canary, "secret");
        ISandbox sandbox = await _rig.CreateAsync();
        (_, string found) = await BubblewrapRig.RunAsync(
            sandbox, $"cat {canary} /etc/shadow /etc/ssh/ssh_host_rsa_key /root/.ssh/id_rsa 2>/dev/null; ls -A /root /home /srv /boot /opt /media /mnt /sys /var/lib /var/log 2>/dev/null | grep -v : ; ls /proc/1/root/{canary} 2>/dev/null");
        Assert.Equal("", found.Trim());
    }

    [Fact]
    public async Task What_is_read_only_stays_so()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        foreach (string command in new[] { "touch /usr/x", "touch /etc/x", "touch /x", "touch /run/stacyvm/x", "touch /dev/x", "echo x > /run/stacyvm-agent", "mount -o remount,rw /usr", "mount -o remount,rw,bind /etc", "echo x > /proc/sys/kernel/core_pattern", "echo b > /proc/sysrq-trigger", "rm -f /run/stacyvm/agent.sock" })
            Assert.NotEqual(0, (await BubblewrapRig.RunAsync(sandbox, command)).Code);
        // Covered, or not there at all.
        Assert.Equal("", (await BubblewrapRig.RunAsync(sandbox, "cat /proc/timer_list /proc/kcore /proc/keys 2>/dev/null")).Output);
    }

    [Fact]
    public async Task Nothing_gains_a_privilege()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        (_, string status) = await BubblewrapRig.RunAsync(sandbox, "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid)' /proc/self/status | tr -d '\\t' | tr '\\n' ' '");
        Assert.Equal("Uid:1000100010001000 CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000 CapBnd:0000000000000000 CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2", status);
        (_, string who) = await BubblewrapRig.RunAsync(sandbox, "cp /usr/bin/id /workspace/id; chmod 4755 /workspace/id; /workspace/id -u; su -c 'id -u' 2>&1 </dev/null; sudo -n id -u 2>&1; true");
        Assert.StartsWith("1000", who, StringComparison.Ordinal);
        Assert.DoesNotContain("\n0", who, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processes_files_and_ports_of_others_are_out_of_reach()
    {
        ISandbox one = await _rig.CreateAsync();
        ISandbox other = await _rig.CreateAsync();
        await BubblewrapRig.RunAsync(other, "echo private > /workspace/file; echo private > /tmp/file");
        (_, string pids) = await BubblewrapRig.RunAsync(one, "ls /proc | grep -E '^[0-9]+$' | wc -l");
        Assert.InRange(int.Parse(pids, System.Globalization.CultureInfo.InvariantCulture), 1, 12);
        string path = Path.Combine(_rig.Directory, "sandboxes", other.Id);
        Assert.NotEqual(0, (await BubblewrapRig.RunAsync(one, $"cat {path}/workspace/file || cat /tmp/file || cat /workspace/file")).Code);
        (_, string network) = await BubblewrapRig.RunAsync(one, "/usr/bin/python3 -c \"\nimport socket\nfor a in [('1.1.1.1',53),('169.254.169.254',80),('172.17.0.1',2375),('127.0.0.1',7423)]:\n    s=socket.socket(); s.settimeout(1)\n    print(a[0], s.connect_ex(a))\n\"; tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
        Assert.Equal(["1.1.1.1 101", "169.254.169.254 101", "172.17.0.1 101", "127.0.0.1 111", "lo"], network.Split('\n'));
    }

    [Fact]
    public async Task Hogs_are_bounded_and_a_neighbour_does_not_feel_them()
    {
        ISandbox neighbour = await _rig.CreateAsync();
        ISandbox hog = await _rig.CreateAsync(BubblewrapRig.Spec(memoryMb: 128, pids: 64, diskMb: 8));
        string[] attacks =
        [
            // A fork bomb with a bottom: 2^12 at most, where 64 are allowed.
            "/usr/bin/python3 -c \"import os,time\nfor i in range(12):\n    try: os.fork()\n    except OSError: pass\ntime.sleep(2)\" 2>/dev/null",
            "/usr/bin/python3 -c 'x = bytearray(1 << 30)'",
            "head -c 1G /dev/zero > /dev/shm/full; head -c 1G /dev/zero > /tmp/full; rm -f /dev/shm/full /tmp/full",
            "/usr/bin/python3 -c \"import os\nwhile True: os.dup(0)\" 2>/dev/null",
            "head -c 1G /dev/zero > /workspace/full",
            "head -c 64M /dev/zero",
        ];
        foreach (string attack in attacks)
        {
            Task<(int Code, string Output)> running = BubblewrapRig.RunAsync(hog, attack, TimeSpan.FromSeconds(20));
            do
            {
                var clock = Stopwatch.StartNew();
                Assert.Equal((0, "alive"), await BubblewrapRig.RunAsync(neighbour, "echo alive"));
                Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
            }
            while (!running.IsCompleted);
            await running;
        }
        (_, string size) = await BubblewrapRig.RunAsync(hog, "stat -c %s /workspace/full");
        Assert.Equal((8 * 1024 * 1024).ToString(System.Globalization.CultureInfo.InvariantCulture), size);
        Assert.Equal(RuntimeState.Running, (await hog.StatusAsync(CancellationToken.None)).State);
        Assert.Equal((0, "still here"), await BubblewrapRig.RunAsync(hog, "echo still here"));
        Assert.InRange(new FileInfo(Path.Combine(_rig.Directory, "sandboxes", hog.Id, "console")).Length, 0, 64 * 1024);
    }

    [Fact]
    public async Task A_file_larger_than_the_disk_is_refused_and_the_agent_lives_on()
    {
        ISandbox sandbox = await _rig.CreateAsync(BubblewrapRig.Spec(diskMb: 1));
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() =>
            sandbox.Files.WriteAsync("/workspace/large", new MemoryStream(new byte[4 * 1024 * 1024]), null, CancellationToken.None));
        Assert.Equal(ProblemKind.StorageFull, problem.Kind);
        Assert.Equal((0, "alive"), await BubblewrapRig.RunAsync(sandbox, "echo alive"));
    }

    [Fact]
    public async Task A_hostile_workspace_is_removed_and_nothing_else()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        string canary = Path.Combine(_rig.Directory, "canary");
        Directory.CreateDirectory(canary);
        await File.WriteAllTextAsync(Path.Combine(canary, "file"), "here");
        await BubblewrapRig.RunAsync(sandbox, $"/usr/bin/python3 -c \"\nimport os\nos.symlink('{canary}', 'link'); os.mkfifo('pipe')\nfor i in range(2000):\n    os.mkdir('d'*100); os.symlink('{canary}', 'l'); os.chdir('d'*100)\n\"; chmod -R 000 . ; setsid sleep 1000 & trap '' TERM");
        await sandbox.DestroyAsync(CancellationToken.None);
        Assert.Equal("here", await File.ReadAllTextAsync(Path.Combine(canary, "file")));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_rig.Directory, "sandboxes")));
    }

    private static string TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
