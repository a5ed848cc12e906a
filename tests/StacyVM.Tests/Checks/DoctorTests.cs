using StacyVM.Engine.Checks;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Docker;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Checks;

public sealed class DoctorTests : IDisposable
{
    private static readonly Level Works = new("bubblewrap", new ProviderHealth(true, Enforced: new Dictionary<string, string> { ["memory"] = "not bounded", ["user"] = "one each" }) { Gaps = ["memory"] }, TimeSpan.Zero);
    private static readonly Level Broken = new("docker", new ProviderHealth(false, "nobody listens there"), TimeSpan.Zero);

    private readonly ConfigurationSandbox _sandbox = new();

    private string Data => Path.Combine(_sandbox.Home, "data");

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void A_level_that_is_not_the_default_only_warns()
    {
        IReadOnlyList<Check> found = Judge(new ProvidersOptions { Default = "bubblewrap" }, Works, Broken);

        Assert.Equal(CheckStatus.Warn, Status(found, "docker"));
        Assert.Equal(CheckStatus.Pass, Status(found, "bubblewrap"));
    }

    [Fact]
    public void The_default_level_must_work()
    {
        Assert.Equal(CheckStatus.Fail, Status(Judge(new ProvidersOptions { Default = "docker" }, Works, Broken), "docker"));
        Assert.Equal(CheckStatus.Fail, Status(Judge(new ProvidersOptions(), Broken), "providers.default"));
    }

    [Fact]
    public void What_is_not_enforced_is_no_pass()
    {
        IReadOnlyList<Check> found = Judge(new ProvidersOptions(), Works);

        Assert.Equal(CheckStatus.Warn, Status(found, "bubblewrap.memory"));
        Assert.Equal(CheckStatus.Pass, Status(found, "bubblewrap.user"));
    }

    [Fact]
    public void A_runtime_with_known_holes_fails_in_production()
    {
        var old = new Level("docker", new ProviderHealth(true, Enforced: new Dictionary<string, string> { [DockerProbe.OldRuntime] = RuntimeVersion.Warning("v1.1.5")! }) { Gaps = [DockerProbe.OldRuntime] }, TimeSpan.Zero);

        Finding finding = Doctor.Judge(new ProvidersOptions(), [old]).Single(row => row.Name == "docker.runtime").Finding;

        Assert.Equal(CheckStatus.Warn, finding.ToCheck("x", production: false).Status);
        Assert.Equal(CheckStatus.Fail, finding.ToCheck("x", production: true).Status);
    }

    [Fact]
    public void User_namespaces_and_control_groups_that_are_missing_are_told_with_the_way_to_get_them()
    {
        List<(string Name, Finding Finding)> found =
            [.. KernelChecks.Run(path => path.EndsWith("max_user_namespaces", StringComparison.Ordinal) ? "0" : "", [new CgroupMount(2, "/sys/fs/cgroup", ["memory"], "/")])];

        Assert.Contains("sysctl", found.Single(row => row.Name == "kernel.user_namespaces").Finding.Remedy);
        Assert.Contains("cpu, pids", found.Single(row => row.Name == "kernel.cgroups").Finding.Message);
    }

    [Fact]
    public async Task Data_that_is_not_there_yet_is_fine_and_stays_away()
    {
        IReadOnlyList<Check> found = await RunAsync();

        Assert.Equal(CheckStatus.Pass, Status(found, "data_dir"));
        Assert.Equal(CheckStatus.Pass, Status(found, "database"));
        Assert.False(Directory.Exists(Data));
    }

    [Fact]
    public async Task A_whole_database_passes_a_damaged_one_fails_and_an_open_key_file_warns()
    {
        Directory.CreateDirectory(Data);
        await using (SqliteStore.Open(Path.Combine(Data, "stacyvm.db"), new StoreLimits(), Microsoft.Extensions.Logging.Abstractions.NullLogger<SqliteStore>.Instance, TimeProvider.System))
        {
        }
        string key = Path.Combine(Data, "secret-key");
        await File.WriteAllTextAsync(key, "x");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        IReadOnlyList<Check> found = await RunAsync();
        Assert.Equal(CheckStatus.Pass, Status(found, "database.integrity"));
        Assert.Equal(CheckStatus.Warn, Status(found, "secret-key"));
        Assert.Empty(Directory.EnumerateDirectories(Data));

        await File.WriteAllTextAsync(Path.Combine(Data, "stacyvm.db"), "a diary");
        Assert.Equal(CheckStatus.Fail, Status(await RunAsync(), "database.integrity"));
    }

    [Fact]
    public async Task A_configuration_that_does_not_load_is_the_only_check()
    {
        _sandbox.WriteYaml("server: { port: many }");

        Assert.Equal(CheckStatus.Fail, Assert.Single(await RunAsync()).Status);
    }

    private static List<Check> Judge(ProvidersOptions options, params Level[] levels) =>
        [.. Doctor.Judge(options, levels).Select(row => row.Finding.ToCheck(row.Name, production: false))];

    private static CheckStatus Status(IEnumerable<Check> found, string name) => found.Single(check => check.Name == name).Status;

    private Task<IReadOnlyList<Check>> RunAsync()
    {
        foreach ((string key, string value) in (ReadOnlySpan<(string, string)>)[
            ("data_dir", Data), ("providers.default", "mock"), ("providers.mock.enabled", "true"), ("providers.docker.enabled", "false"), ("providers.bubblewrap.enabled", "false")])
            _sandbox.Flags[key] = value;
        return Doctor.RunAsync(_sandbox.Sources, production: false, () => Stream.Null);
    }
}
