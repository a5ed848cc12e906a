using StacyVM.Cli;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Operations;
using StacyVM.Engine.Checks;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Cli.Operations;

public sealed class SetupTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    private string File => Path.Combine(_sandbox.Home, ".stacyvm/config.yaml");

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task A_person_is_asked_for_what_was_not_given()
    {
        var output = new StringWriter();
        var prompt = new Prompt(new StringReader("nonesuch\ndocker\nkata-runtime\npreview.example.com\nn\n"), output);

        SetupChoice choice = await SetupChoice.AskAsync(prompt, new SetupGiven(null, null, null, null), () =>
            Task.FromResult<IReadOnlyList<Level>>([new("docker", new ProviderHealth(false, "nobody listens there"), TimeSpan.Zero)]));

        Assert.Equal(new SetupChoice("docker", "kata-runtime", "preview.example.com", false), choice);
        Assert.Contains("docker: does not work yet: nobody listens there", output.ToString());
        Assert.Contains("not one of", output.ToString());
    }

    [Fact]
    public void Kata_is_written_under_the_name_that_docker_knows()
    {
        Write(new SetupGiven("docker", "kata", null, null));

        ProvidersOptions providers = _sandbox.Load().Options.Providers;
        Assert.Equal(("docker", "kata-runtime", true), (providers.Default, providers.Docker.Runtime, providers.Docker.Enabled));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public void Other_keys_stay_and_the_file_before_is_kept()
    {
        string before = "# mine\nauth:\n  api_key: a-key-of-mine\nProviders: { Docker: { enabled: false } }\n";
        _sandbox.Write("home/.stacyvm/config.yaml", before);

        SetupResult result = Write(new SetupGiven("docker", null, "example.com", null));

        StacyOptions options = _sandbox.Load().Options;
        Assert.Equal(("a-key-of-mine", "example.com", true), (options.Auth.ApiKey, options.Server.PreviewDomain, options.Providers.Docker.Enabled));
        Assert.Equal(before, System.IO.File.ReadAllText(result.Backup!));
    }

    [Fact]
    public void A_second_time_changes_nothing()
    {
        Write(new SetupGiven("bubblewrap", null, null, null));
        SetupResult again = Write(new SetupGiven("bubblewrap", null, null, null));

        Assert.False(again.Changed);
        Assert.Null(again.Backup);
        Assert.Single(Directory.EnumerateFiles(Path.GetDirectoryName(File)!));
    }

    [Theory]
    [InlineData("server: [ broken")]
    [InlineData("just a text")]
    [InlineData("server: { port: many }")]
    public void A_file_that_would_not_load_is_left_as_it_is(string broken)
    {
        _sandbox.Write("home/.stacyvm/config.yaml", broken);

        Assert.ThrowsAny<StacyVMException>(() => Write(new SetupGiven(null, null, null, null)));

        Assert.Equal(broken, System.IO.File.ReadAllText(File));
        Assert.Single(Directory.EnumerateFiles(Path.GetDirectoryName(File)!));
    }

    [Fact]
    public void A_block_goes_into_existing_start_files_once_and_out_again()
    {
        string bash = _sandbox.Write("home/.bashrc", "alias a=b"), fish = _sandbox.Write("home/.config/fish/config.fish", "");

        Assert.Equal([bash, fish], ShellBlocks.Install(_sandbox.Home));
        string installed = System.IO.File.ReadAllText(bash);
        Assert.Empty(ShellBlocks.Install(_sandbox.Home));
        Assert.Equal([bash, fish], ShellBlocks.Installed(_sandbox.Home));
        Assert.StartsWith("alias a=b\n# StacyVM Autocomplete\n", installed);
        Assert.False(System.IO.File.Exists(Path.Combine(_sandbox.Home, ".zshrc")));

        System.IO.File.AppendAllText(bash, "alias c=d\n");
        Assert.Equal([bash, fish], ShellBlocks.Remove(_sandbox.Home));
        Assert.Equal("alias a=b\nalias c=d\n", System.IO.File.ReadAllText(bash));
        Assert.Equal("", System.IO.File.ReadAllText(fish));
    }

    [Fact]
    public void A_block_without_an_end_is_not_guessed_at()
    {
        string bash = _sandbox.Write("home/.bashrc", "# StacyVM Autocomplete\nalias mine=1\n");

        Assert.Empty(ShellBlocks.Remove(_sandbox.Home));
        Assert.Contains("alias mine=1", System.IO.File.ReadAllText(bash));
    }

    [Fact]
    public void A_link_stays_a_link()
    {
        string real = _sandbox.Write("home/dotfiles/bashrc", "x\n"), link = Path.Combine(_sandbox.Home, ".bashrc");
        System.IO.File.CreateSymbolicLink(link, real);

        ShellBlocks.Install(_sandbox.Home);

        Assert.Equal(real, new System.IO.FileInfo(link).LinkTarget);
        Assert.Contains("Autocomplete", System.IO.File.ReadAllText(real));
    }

    private SetupResult Write(SetupGiven given) => SetupRun.Write(_sandbox.Sources, File, SetupChoice.From(given), TimeProvider.System);
}
