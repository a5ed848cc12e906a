using System.Formats.Tar;
using System.Text.Json;
using Docker.DotNet.Models;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Docker;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>What is decided without a daemon.</summary>
public sealed class DockerPartsTests
{
    [Theory]
    [InlineData("", "1000:1000")]
    [InlineData("0:0", "0:0")]
    [InlineData("1234", "1234:1234")]
    [InlineData("12:34", "12:34")]
    public void A_user_is_a_pair_of_numbers(string text, string expected) =>
        Assert.Equal(expected, DockerUser.Parse(text).ToString());

    [Theory]
    [InlineData("root")]
    [InlineData("1000:docker")]
    [InlineData("-1")]
    [InlineData("1:2:3")]
    public void A_user_by_name_is_refused_because_the_image_would_decide_who_it_is(string text) =>
        Assert.Throws<FormatException>(() => DockerUser.Parse(text));

    [Theory]
    [InlineData("1.1.5+ds1-1+deb12u1", "CVE-2024-21626")]
    [InlineData("1.1.11", "CVE-2024-21626")]
    [InlineData("v1.1.15-0-gbc20cb44", "CVE-2025-31133")]
    [InlineData("1.2.7", "CVE-2025-31133")]
    [InlineData("1.3.2", "CVE-2025-31133")]
    [InlineData("1.2.8", null)]
    [InlineData("1.3.3", null)]
    [InlineData("1.4.0", null)]
    [InlineData("2.0.0", null)]
    [InlineData("ff819c7e9184c13b7c2607fe6c30ae19403a7aff", null)]
    [InlineData("", null)]
    public void An_old_runc_is_named_with_its_hole(string version, string? hole)
    {
        string? warning = RuntimeVersion.Warning(version);
        if (hole is null)
            Assert.Null(warning);
        else
            Assert.Contains(hole, warning);
    }

    [Theory]
    [InlineData("", "tcp://10.1.2.3:2376", "tcp://10.1.2.3:2376", false)]
    [InlineData("unix:///run/d.sock", "tcp://10.1.2.3:2376", "unix:///run/d.sock", true)]
    [InlineData("/run/d.sock", "", "unix:///run/d.sock", true)]
    public void The_configured_address_wins_over_the_environment(string configured, string environment, string expected, bool local)
    {
        var endpoint = DockerEndpoint.Resolve(configured, name => name == "DOCKER_HOST" ? environment : null);

        Assert.Equal(expected, endpoint.ToString());
        Assert.Equal(local, endpoint.MayShareFiles);
    }

    [Theory]
    [InlineData("ssh://host")]
    [InlineData("docker.sock")]
    public void An_address_of_another_kind_is_refused(string address) =>
        Assert.Throws<FormatException>(() => DockerEndpoint.Resolve(address, _ => null));

    [Fact]
    public async Task Uploads_are_plain_tar()
    {
        string program = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(program, [0x7f, (byte)'E', (byte)'L', (byte)'F']);
            await using Stream upload = await AgentUpload.ProgramAsync(program, TestContext.Current.CancellationToken);
            await using Stream workspace = await AgentUpload.WorkspaceAsync(new DockerUser(12, 34), TestContext.Current.CancellationToken);

            AssertPlainTar(upload);
            AssertPlainTar(workspace);
            using var reader = new TarReader(workspace);
            TarEntry entry = reader.GetNextEntry()!;
            Assert.Equal(("workspace/", 12, 34), (entry.Name, entry.Uid, entry.Gid));
        }
        finally
        {
            File.Delete(program);
        }
    }

    [Fact]
    public void The_profile_allows_neither_crypto_sockets_nor_io_uring_nor_namespaces()
    {
        using var profile = JsonDocument.Parse(HardenedSeccomp.Json);
        var rules = profile.RootElement.GetProperty("syscalls").EnumerateArray().ToList();
        var unconditional = rules
            .Where(rule => rule.GetProperty("action").GetString() == "SCMP_ACT_ALLOW" && rule.GetProperty("args").GetArrayLength() == 0)
            .SelectMany(rule => rule.GetProperty("names").EnumerateArray().Select(name => name.GetString()))
            .ToHashSet();
        var families = rules
            .Where(rule => rule.GetProperty("names")[0].GetString() == "socket")
            .Select(rule => rule.GetProperty("args")[0].GetProperty("value").GetInt32());

        Assert.Equal("SCMP_ACT_ERRNO", profile.RootElement.GetProperty("defaultAction").GetString());
        Assert.Equal([1, 2, 10, 16], families);
        string[] dangerous =
        [
            "socket", "clone", "clone3", "unshare", "setns", "mount", "bpf", "userfaultfd", "keyctl", "perf_event_open", "io_uring_setup", "io_uring_enter",
            "io_uring_register", "kexec_load", "init_module", "finit_module", "open_by_handle_at", "pivot_root", "chroot", "reboot", "personality",
        ];
        Assert.All(dangerous, name => Assert.DoesNotContain(name, unconditional));
        Assert.Contains("execve", unconditional);
    }

    [Fact]
    public void A_container_gives_nothing_by_default()
    {
        CreateContainerParameters made = new ContainerSettings(new DockerOptions()).For(Plan(AgentRoute.Socket, WorkspaceKind.Bound));
        HostConfig host = made.HostConfig!;

        Assert.Equal(["/.stacyvm/agent"], made.Entrypoint);
        Assert.Equal("1000:1000", made.User);
        Assert.Equal("/workspace", made.WorkingDir);
        Assert.Equal("none", host.NetworkMode);
        Assert.Equal(["ALL"], host.CapDrop);
        Assert.Empty(host.CapAdd!);
        Assert.Contains("no-new-privileges", host.SecurityOpt!);
        Assert.Contains(host.SecurityOpt!, option => option.StartsWith("seccomp=", StringComparison.Ordinal));
        Assert.Equal(128L << 20, host.Memory);
        Assert.Equal(host.Memory, host.MemorySwap);
        Assert.Equal(2_000_000_000, host.NanoCPUs);
        Assert.Equal(256, host.PidsLimit);
        Assert.Contains(host.Ulimits!, limit => limit is { Name: "core", Hard: 0 });
        Assert.False(host.Privileged);
        Assert.False(host.Init);
        Assert.False(host.AutoRemove);
        Assert.Null(host.MaskedPaths);
        Assert.Null(host.ReadonlyPaths);
        Assert.Equal("1m", host.LogConfig!.Config!["max-size"]);
        Assert.All(host.Mounts!.Where(mount => mount.Target != "/workspace"), mount => Assert.True(mount.ReadOnly));
        Assert.DoesNotContain(made.Labels!.Values, label => label.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("kata-runtime")]
    [InlineData("runsc")]
    public void The_configured_runtime_is_asked_of_the_daemon(string runtime) =>
        Assert.Equal(runtime, new ContainerSettings(new DockerOptions { Runtime = runtime }).For(Plan(AgentRoute.Socket, WorkspaceKind.Bound)).HostConfig!.Runtime);

    [Theory]
    [InlineData("kata-runtime", "kata-containers/releases")]
    [InlineData("runsc", "apt-get install runsc")]
    [InlineData("youki", "install it")]
    public void Advice_says_how_to_get_a_runtime_and_where_to_name_it(string runtime, string how)
    {
        string advice = RuntimeAdvice.For(runtime);
        Assert.Contains(how, advice, StringComparison.Ordinal);
        Assert.Contains("/etc/docker/daemon.json", advice, StringComparison.Ordinal);
        Assert.Contains("providers.docker.runtime", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_only_root_keeps_a_place_for_temporary_files()
    {
        CreateContainerParameters made = new ContainerSettings(new DockerOptions { ReadOnlyRootfs = true }).For(Plan(AgentRoute.Exec, WorkspaceKind.Memory));
        HostConfig host = made.HostConfig!;

        Assert.True(host.ReadonlyRootfs);
        Assert.Contains("uid=1000,gid=1000", host.Tmpfs!["/workspace"]);
        Assert.Contains("mode=1777", host.Tmpfs!["/tmp"]);
    }

    [Fact]
    public void A_handle_survives_storage_and_holds_no_secret()
    {
        SandboxHandle sealed_ = new DockerHandle("c0ffee", "alpine:latest", AgentRoute.Exec).Seal();

        Assert.Equal(new DockerHandle("c0ffee", "alpine:latest", AgentRoute.Exec), DockerHandle.Open(sealed_));
        Assert.Null(DockerHandle.Open(sealed_ with { Version = 99 }));
        Assert.Null(DockerHandle.Open(sealed_ with { State = "{" }));
    }

    private static ContainerPlan Plan(AgentRoute route, WorkspaceKind workspace)
    {
        var spec = new SandboxSpec { Image = "alpine:latest", MemoryMb = 128, Vcpus = 2, DiskMb = 64, Metadata = new Dictionary<string, string> { ["a"] = "b" } };
        return new ContainerPlan
        {
            Id = "sb-1",
            Spec = spec,
            Image = new DockerImage("alpine:latest", NamesHome: false),
            User = DockerUser.Default,
            Token = "secret",
            Route = route,
            Workspace = workspace,
            Seccomp = HardenedSeccomp.Json,
            Labels = DockerLabels.For("sb-1", "alpine:latest", spec, "here", route),
            AgentPath = "/data/bin/agent",
            SandboxDirectory = "/data/sandboxes/sb-1",
        };
    }

    private static void AssertPlainTar(Stream stream)
    {
        var header = new byte[512];
        stream.ReadExactly(header);
        stream.Position = 0;
        Assert.Equal("ustar", System.Text.Encoding.ASCII.GetString(header, 257, 5));
    }
}
