using StacyVM.Cli.Operations;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Cli.Operations;

public sealed class InstallationTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    private string Data => Path.Combine(_sandbox.Home, ".local/share/stacyvm");

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Only_what_is_ours_is_removed()
    {
        string binary = _sandbox.Write("bin/stacyvm", "elf");
        foreach (string name in (string[])["installation-id", "api-key", "secret-key", "server.lock", "stacyvm.db", "bin/agent", "sandboxes/.keep"])
            _sandbox.Write("home/.local/share/stacyvm/" + name, "0123456789abcdef");
        string mine = _sandbox.Write("home/.local/share/stacyvm/thesis.txt", "mine"), backup = _sandbox.Write("home/.local/share/stacyvm/stacyvm.db.pre-restore-1", "x");
        _sandbox.Write("home/.stacyvm/config.yaml", "server: { port: 1 }");
        _sandbox.Write("home/.stacyvm/config.yaml.bak-1", "");
        string neighbour = _sandbox.Write("bin/other", "x");

        UninstallResult result = new Installation(_sandbox.Sources, binary).Remove();

        Assert.Equal([backup, mine], result.Left.Order());
        Assert.Equal([backup, mine], Directory.EnumerateFileSystemEntries(Data).Order());
        Assert.False(Directory.Exists(Path.Combine(_sandbox.Home, ".stacyvm")));
        Assert.False(File.Exists(binary));
        Assert.True(File.Exists(neighbour));
        Assert.Equal(binary, result.Removed[^1]);
    }

    [Fact]
    public void A_directory_without_our_mark_is_left_alone()
    {
        string file = _sandbox.Write("home/.local/share/stacyvm/api-key", "x");

        Assert.Empty(new Installation(_sandbox.Sources, null).Ours());
        Assert.Empty(new Installation(_sandbox.Sources, null).Remove().Removed);
        Assert.True(File.Exists(file));
    }

    [Fact]
    public void A_database_elsewhere_goes_only_when_it_is_ours()
    {
        _sandbox.Flags["database.path"] = _sandbox.Write("elsewhere/diary.db", "dear diary " + new string('.', 200));

        Assert.Empty(new Installation(_sandbox.Sources, null).Ours());
    }

    [Fact]
    public void A_program_of_another_name_is_not_removed() =>
        Assert.Empty(new Installation(_sandbox.Sources, _sandbox.Write("bin/dotnet", "x")).Ours());
}
