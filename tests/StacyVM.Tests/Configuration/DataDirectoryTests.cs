using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Root_has_the_data_directory_of_the_system()
    {
        _sandbox.IsRoot = true;

        Assert.Equal("/var/lib/stacyvm", _sandbox.Load().Options.DataDir);
    }

    [Fact]
    public void An_ordinary_user_has_one_at_home_or_where_XDG_says()
    {
        Assert.Equal(Path.Combine(_sandbox.Home, ".local/share/stacyvm"), _sandbox.Load().Options.DataDir);

        _sandbox.Environment["XDG_DATA_HOME"] = "relative";
        Assert.Equal(Path.Combine(_sandbox.Home, ".local/share/stacyvm"), _sandbox.Load().Options.DataDir);

        _sandbox.Environment["XDG_DATA_HOME"] = "/xdg";
        Assert.Equal("/xdg/stacyvm", _sandbox.Load().Options.DataDir);
    }

    [Fact]
    public void Paths_start_at_the_working_directory_or_at_home()
    {
        _sandbox.Environment["STACYVM_DATA_DIR"] = "~/data";
        Assert.Equal(Path.Combine(_sandbox.Home, "data/stacyvm.db"), _sandbox.Load().Options.Database.Path);

        _sandbox.Environment["STACYVM_DATABASE_PATH"] = "stacyvm.db";
        Assert.Equal(Path.Combine(_sandbox.WorkingDirectory, "stacyvm.db"), _sandbox.Load().Options.Database.Path);
    }

    [Fact]
    public void Without_a_home_the_data_directory_must_be_named()
    {
        var sources = new ConfigurationSources { WorkingDirectory = _sandbox.WorkingDirectory };

        ConfigurationException fault = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(sources));

        Assert.Equal("data_dir", Assert.Single(fault.Faults).Key);
    }
}
