using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Docker.DotNet.Models;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>What images and guests have tried against Docker before.</summary>
[Collection(DockerTests.Name)]
public sealed class DockerAttackTests(ThrowawayDaemon daemon)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hostile_image_gets_an_ordinary_sandbox(bool remote)
    {
        string before = HostPrograms();
        await using DockerSite site = await DockerSite.OpenAsync(daemon, remote: remote);

        ISandbox sandbox = await site.CreateAsync(TestImages.Hostile);

        Assert.Equal("1000", await DockerSite.ShellAsync(sandbox, "id -u"));
        Assert.Equal("character special file", await DockerSite.ShellAsync(sandbox, "stat -L -c %F /dev/null"));
        Assert.Equal("alive", await DockerSite.ShellAsync(sandbox, "echo dead >/dev/null; cat /canary"));
        Assert.Equal("absent", await DockerSite.ShellAsync(sandbox, "test -e /tmp/decompressor-ran && echo ran || echo absent"));
        Assert.False(File.Exists("/tmp/decompressor-ran"));
        Assert.Equal("safe", await DockerSite.ShellAsync(sandbox, "echo x >/workspace/mine && echo safe"));
        Assert.Equal(before, HostPrograms());
    }

    [Fact]
    public async Task A_working_directory_among_descriptors_leads_nowhere()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync(TestImages.Hostile);

        for (int descriptor = 3; descriptor <= 64; descriptor++)
        {
            foreach (string process in new[] { "self", "1" })
            {
                string cwd = $"/proc/{process}/fd/{descriptor}";
                try
                {
                    (int code, string output) = await DockerSite.RunAsync(
                        sandbox, new ExecSpec { Arguments = ["cat", "../../../../../../etc/hostname", "/etc/shadow"], WorkingDirectory = cwd });
                    Assert.Fail($"a command ran in {cwd}: {code} {output}");
                }
                catch (StacyVMException e)
                {
                    Assert.True(e.Kind is ProblemKind.InvalidInput or ProblemKind.Forbidden or ProblemKind.NotFound, e.Message);
                }
            }
        }

        // A command holds its own three streams and what it opens itself, here the listed directory.
        string[] open = (await DockerSite.ShellAsync(sandbox, "ls -l /proc/self/fd | sed 's/.*fd.*//;s/.*-> //'")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain(open, target => target.StartsWith("/sys", StringComparison.Ordinal) || target.StartsWith(site.Host.DataDirectory, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Kernel_switches_are_out_of_reach()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        foreach (string path in new[] { "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/proc/sys/kernel/modprobe" })
            Assert.NotEqual(0, (await DockerSite.RunAsync(sandbox, "sh", "-c", $"echo x >{path}")).Code);
        Assert.Equal("", await DockerSite.ShellAsync(sandbox, "head -c 16 /proc/kcore 2>/dev/null"));
        Assert.NotEqual(0, (await DockerSite.RunAsync(sandbox, "mount", "-o", "remount,rw", "/.stacyvm/agent")).Code);
        Assert.NotEqual(0, (await DockerSite.RunAsync(sandbox, "sh", "-c", "echo x >>/.stacyvm/agent")).Code);
        Assert.NotEqual(0, (await DockerSite.RunAsync(sandbox, "sh", "-c", "rm -f /.stacyvm/run/agent.sock")).Code);
        Assert.Equal((0, "still here"), await DockerSite.RunAsync(sandbox, "echo", "still here"));
    }

    [Fact]
    public async Task Another_installations_containers_are_neither_seen_nor_touched()
    {
        await using DockerSite ours = await DockerSite.OpenAsync(daemon);
        await using DockerSite theirs = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await theirs.CreateAsync();

        Assert.Empty(await ours.Provider.ListAsync(Cancellation));
        await ours.Provider.RemoveAsync(sandbox.Id, Cancellation);
        Assert.Null(await ours.Provider.RecoverAsync(sandbox.Id, sandbox.Handle, Cancellation));
        StacyVMException taken = await Assert.ThrowsAsync<StacyVMException>(() => ours.Provider.CreateAsync(sandbox.Id, DockerSite.Spec(), null, Cancellation));

        Assert.Equal(ProblemKind.Conflict, taken.Kind);
        Assert.Equal((0, "alive"), await DockerSite.RunAsync(sandbox, "echo", "alive"));
    }

    [Fact]
    public async Task An_image_cannot_hide_its_sandbox_or_pass_for_one_of_ours_by_its_labels()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        const string Image = "stacyvm-test/labels:1";
        await TestImages.ImportAsync(
            daemon.Client,
            Image,
            [
                "LABEL stacyvm.probe=true", "LABEL stacyvm=true", "LABEL stacyvm.provider=docker", "LABEL stacyvm.sandbox=sb-victim",
                $"LABEL stacyvm.installation={site.Host.InstallationId}", "CMD [\"/tool\"]",
            ],
            tar => tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.Directory, "x/")));
        ISandbox sandbox = await site.CreateAsync(Image);
        CreateContainerResponse bystander = await daemon.Client.Containers.CreateContainerAsync(new CreateContainerParameters { Image = Image, Name = "bystander" }, Cancellation);

        Assert.Equal(sandbox.Id, Assert.Single(await site.Provider.ListAsync(Cancellation)).Id);
        await site.Provider.RemoveAsync("sb-victim", Cancellation);

        Assert.Contains(await daemon.ContainersAsync(), container => container.ID == bystander.ID);
        await daemon.Client.Containers.RemoveContainerAsync(bystander.ID, new ContainerRemoveParameters { Force = true }, Cancellation);
    }

    [Fact]
    public async Task Only_plain_tar_is_ever_sent_to_the_engine()
    {
        await using var tap = new EngineTap(new Uri(daemon.Tcp).Port);
        await using DockerSite site = await DockerSite.OpenAsync(daemon, address: $"tcp://127.0.0.1:{tap.Port}");
        ISandbox sandbox = await site.CreateAsync(TestImages.Hostile);
        await sandbox.Files.WriteAsync("/workspace/a.tar.gz", new MemoryStream([0x1f, 0x8b, 8, 0]), null, Cancellation);

        string sent = Encoding.Latin1.GetString(tap.Sent);
        int uploads = 0;
        for (int at = sent.IndexOf("PUT /", StringComparison.Ordinal); at >= 0; at = sent.IndexOf("PUT /", at + 1, StringComparison.Ordinal))
        {
            string head = sent[at..sent.IndexOf("\r\n\r\n", at, StringComparison.Ordinal)];
            string body = sent[(at + head.Length)..Math.Min(sent.Length, at + head.Length + 600)];
            Assert.Contains("/archive?", head);
            Assert.DoesNotContain("Content-Encoding", head, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("ustar", body);
            uploads++;
        }
        Assert.True(uploads >= 2, $"{uploads} uploads were seen");
    }

    [Fact]
    public async Task A_bomb_of_orphans_stays_within_its_container_and_goes_with_it()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();
        ISandbox neighbour = await site.CreateAsync();

        await DockerSite.RunAsync(sandbox, new ExecSpec { Arguments = ["sh", "-c", "b() { b | b & }; b; wait"], Timeout = TimeSpan.FromSeconds(2) });

        Assert.InRange((await ((IReportsUsage)sandbox).UsageAsync(Cancellation)).Processes, 1, 256);
        Assert.Equal((0, "unharmed"), await DockerSite.RunAsync(neighbour, "echo", "unharmed"));
        await sandbox.DestroyAsync(Cancellation);
    }

    [Fact]
    public async Task A_greedy_command_dies_alone()
    {
        await using DockerSite site = await DockerSite.OpenAsync(daemon);
        ISandbox sandbox = await site.CreateAsync();

        (int code, _) = await DockerSite.RunAsync(sandbox, new ExecSpec { Arguments = ["sh", "-c", "x=a; while :; do x=$x$x; done"], Timeout = TimeSpan.FromSeconds(60) });

        Assert.Equal(137, code);
        Assert.Equal((0, "alive"), await DockerSite.RunAsync(sandbox, "echo", "alive"));
    }

    private static string HostPrograms() => string.Join(' ', new[] { "/usr/sbin/runc", "/usr/sbin/dockerd", "/usr/bin/containerd", "/bin/busybox" }
        .Where(File.Exists)
        .Select(path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))));

    /// <summary>Stands between a client and the daemon and keeps what the client sends.</summary>
    private sealed class EngineTap : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _over = new();
        private readonly List<MemoryStream> _sent = [];
        private readonly int _target;

        public EngineTap(int target)
        {
            _target = target;
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public byte[] Sent
        {
            get
            {
                lock (_sent)
                    return [.. _sent.SelectMany(connection => connection.ToArray())];
            }
        }

        private async Task AcceptAsync()
        {
            while (!_over.IsCancellationRequested)
                _ = RelayAsync(await _listener.AcceptTcpClientAsync(_over.Token));
        }

        private async Task RelayAsync(TcpClient client)
        {
            using TcpClient server = new();
            using (client)
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _over.Token);
                var request = new MemoryStream();
                lock (_sent)
                    _sent.Add(request);
                await Task.WhenAny(
                    CopyAsync(client.GetStream(), server.GetStream(), request),
                    CopyAsync(server.GetStream(), client.GetStream(), null));
            }
        }

        /// <summary>Each connection's bytes stay together: requests of several connections do not mix.</summary>
        private async Task CopyAsync(NetworkStream from, NetworkStream to, MemoryStream? kept)
        {
            byte[] buffer = new byte[64 * 1024];
            for (int read; (read = await from.ReadAsync(buffer, _over.Token)) > 0;)
            {
                if (kept is not null)
                {
                    lock (_sent)
                        kept.Write(buffer, 0, read);
                }
                await to.WriteAsync(buffer.AsMemory(0, read), _over.Token);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync();
            _listener.Dispose();
        }
    }
}
