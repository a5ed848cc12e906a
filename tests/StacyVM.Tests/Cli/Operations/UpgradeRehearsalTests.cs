using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Cli.Operations;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Cli.Operations;

public sealed class UpgradeRehearsalTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    private string Data => Path.Combine(_sandbox.Home, "data");

    public UpgradeRehearsalTests()
    {
        Directory.CreateDirectory(Data);
        _sandbox.Flags["data_dir"] = Data;
    }

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task A_sound_database_passes_and_only_the_configuration_can_fail()
    {
        await SqliteStore.Open(Path.Combine(Data, "stacyvm.db"), new StoreLimits(), NullLogger<SqliteStore>.Instance, TimeProvider.System).DisposeAsync();

        UpgradeRehearsal found = await RunAsync();

        Assert.All(found.Sections[1].Checks, row => Assert.Equal("PASS", row.Status));
        Assert.Equal(["database.source", "database.integrity", "backup.directory", "backup.output", "database.migrations"], found.Sections[1].Checks.Select(row => row.Name));
        Assert.True(found.Failed > 0, "the default configuration is not one for production");
        Assert.Equal(6, found.Flow.Count);
        Assert.NotNull(found.Note);
        Assert.Single(Directory.EnumerateFiles(Data));
    }

    [Fact]
    public async Task A_missing_database_and_a_backup_in_the_way_fail()
    {
        string taken = _sandbox.Write("home/data/taken.db", "x");

        CheckSection found = (await RunAsync(taken)).Sections[1];

        Assert.Equal("FAIL", found.Checks.Single(row => row.Name == "database.source").Status);
        Assert.Equal("FAIL", found.Checks.Single(row => row.Name == "backup.output").Status);
        Assert.DoesNotContain(found.Checks, row => row.Name == "database.migrations");
    }

    private Task<UpgradeRehearsal> RunAsync(string? backup = null) => UpgradeRehearsal.RunAsync(_sandbox.Sources, null, backup, includeDoctor: false, TimeProvider.System);
}
