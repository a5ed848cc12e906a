using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>A server that cannot start says what is wrong and what to do, and changes nothing.</summary>
public sealed class BadStartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stacyvm-bad-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await FailsAsync(port.ToString(), "--port", port.ToString());
    }

    [Fact]
    public async Task A_foreign_database_is_named_and_left_alone()
    {
        string path = Path.Combine(_folder, "stacyvm.db");
        byte[] foreign = Encoding.ASCII.GetBytes("this is a diary and not a database " + new string('.', 5000));
        await File.WriteAllBytesAsync(path, foreign);
        await FailsAsync(path);
        Assert.Equal(foreign, await File.ReadAllBytesAsync(path));
    }

    [Fact]
    public async Task An_unknown_provider_is_named_with_those_that_exist()
    {
        string error = await FailsAsync("nonesuch", "--provider", "nonesuch");
        Assert.Contains("bubblewrap", error);
    }

    [Fact]
    public async Task Every_fault_of_a_configuration_is_listed_with_its_path()
    {
        string file = Path.Combine(_folder, "bad.yaml");
        await File.WriteAllTextAsync(file, "server:\n  host: everywhere\ndefaults:\n  ttl: -5m\n  max_ttl: soon\n");
        string error = await FailsAsync("server.host", "--config", file);
        Assert.Contains("defaults.ttl", error);
        Assert.Contains("defaults.max_ttl", error);
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused()
    {
        await using PublishedServer first = await PublishedServer.StartAsync();
        StacyCli.Outcome second = await StacyCli.RunAsync(["serve", "--port", "0", "--data-dir", first.DataDirectory]);
        Assert.NotEqual(0, second.Code);
        Assert.Contains(first.DataDirectory, second.Error);
    }

    private async Task<string> FailsAsync(string named, params string[] arguments)
    {
        string[] port = arguments.Contains("--port") ? [] : ["--port", "0"];
        StacyCli.Outcome outcome = await StacyCli.RunAsync(["serve", "--data-dir", _folder, .. port, .. arguments]);
        Assert.NotEqual(0, outcome.Code);
        Assert.Contains(named, outcome.Error);
        Assert.DoesNotContain("   at ", outcome.Error);
        return outcome.Error;
    }
}
