using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.MicroVm;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Conformance;
using Xunit;

namespace StacyVM.Tests.Providers.MicroVm.Qemu;

/// <summary>The first machine of an image and size is saved as it is after its start; those after it go on from there, as somebody else.</summary>
public sealed class QemuTemplateTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-templates-").FullName;
    private readonly List<string> _ids = [];
    private AgentHost _host = null!;
    private MicroVmProvider _provider = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static SandboxSpec Spec => new() { Image = TestStore.Busybox, MemoryMb = 128, Vcpus = 1, DiskMb = 64, PidsLimit = 64 };

    private string TemplateDirectory => Path.Combine(_directory, "microvm", "templates");

    public async ValueTask InitializeAsync()
    {
        if (QemuSite.Missing is { } missing)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("STACYVM_REQUIRE_RUNTIMES") is null or "", missing);
            Assert.Fail(missing);
        }
        _host = await AgentHost.OpenAsync(_directory, PublishedAgent.Open);
        _provider = QemuSite.Provider(_host, ownTemplates: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            foreach (string id in _ids)
                await _provider.RemoveAsync(id, CancellationToken.None);
            await _host.DisposeAsync();
        }
        StacyVM.Engine.Linux.TreeRemoval.Remove(_directory);
    }

    [Fact]
    public async Task The_second_machine_goes_on_from_the_start_of_the_first_and_is_another()
    {
        ISandbox first = await CreateAsync();
        string template = Assert.Single(Directory.GetDirectories(TemplateDirectory));
        Assert.Equal(["disk", "machine.json", "state"], Directory.GetFiles(template).Select(Path.GetFileName).Order());
        ISandbox second = await CreateAsync();
        Assert.DoesNotContain("-incoming", CommandLine(first), StringComparison.Ordinal);
        Assert.Contains("-incoming", CommandLine(second), StringComparison.Ordinal);
        foreach (string question in (string[])["hostname", "cat /etc/machine-id", "head -c 16 /dev/urandom | od -An -tx1", "cat /etc/hosts"])
        {
            string[] answers = [(await first.ShellAsync(question, Stop)).Output, (await second.ShellAsync(question, Stop)).Output];
            Assert.All(answers, Assert.NotEmpty);
            Assert.NotEqual(answers[0], answers[1]);
        }
        long clock = long.Parse((await second.RunAsync(Stop, "date", "+%s")).Output, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - clock, -60, 60);
    }

    [Fact]
    public async Task A_template_that_cannot_be_used_is_thrown_away_and_the_machine_starts_anew()
    {
        await (await CreateAsync()).DestroyAsync(Stop);
        string state = Path.Combine(Assert.Single(Directory.GetDirectories(TemplateDirectory)), "state");
        await File.WriteAllTextAsync(state, "nonsense", Stop);
        ISandbox sandbox = await CreateAsync();
        Assert.Equal(0, (await sandbox.RunAsync(Stop, "true")).Code);
        Assert.DoesNotContain("-incoming", CommandLine(sandbox), StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(Assert.Single(Directory.GetDirectories(TemplateDirectory)), "state")).Length > 1_000_000);
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_refused_with_those_that_are()
    {
        foreach (string image in (string[])["host", "nowhere/nothing:1"])
        {
            var problem = await Assert.ThrowsAsync<StacyVMException>(() => _provider.CreateAsync(NewId(), Spec with { Image = image, ImageIsDefault = image != "host" }, null, Stop));
            Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
            Assert.Contains(TestStore.Busybox, problem.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Disk_processors_and_memory_are_those_asked_for()
    {
        ISandbox sandbox = await _provider.CreateAsync(NewId(), Spec with { Vcpus = 2 }, null, Stop);
        Assert.Equal("2\n", (await sandbox.ShellAsync("grep -c ^processor /proc/cpuinfo", Stop)).Output);
        Outcome full = await sandbox.ShellAsync("head -c 100000000 /dev/zero >/workspace/file", Stop);
        Assert.NotEqual(0, full.Code);
        Assert.InRange((await sandbox.Files.StatAsync("/workspace/file", Stop)).Size, 30_000_000, 64 << 20);
        Assert.InRange(long.Parse((await sandbox.ShellAsync("rm /workspace/file; awk '/MemTotal/ { print $2 }' /proc/meminfo", Stop)).Output, System.Globalization.CultureInfo.InvariantCulture), 100_000, 192 * 1024);
    }

    private Task<ISandbox> CreateAsync() => _provider.CreateAsync(NewId(), Spec, null, Stop);

    private string NewId()
    {
        string id = SandboxId.New();
        _ids.Add(id);
        return id;
    }

    private static string CommandLine(ISandbox sandbox) =>
        File.ReadAllText($"/proc/{MachineState.TryParse(Encoding.UTF8.GetBytes(sandbox.Handle.State))!.Pid}/cmdline").Replace('\0', ' ');
}
