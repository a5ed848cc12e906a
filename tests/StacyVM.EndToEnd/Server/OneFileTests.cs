using System.Diagnostics;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>One binary is enough, and it is up at once.</summary>
public sealed class OneFileTests
{
    [Fact]
    public async Task The_binary_alone_in_an_empty_folder_runs_a_sandbox()
    {
        string folder = Directory.CreateTempSubdirectory("stacyvm-one-").FullName;
        string alone = Path.Combine(folder, "stacyvm");
        File.Copy(PublishedServer.Binary, alone);
        await using (PublishedServer server = await PublishedServer.StartAsync(binary: alone))
            Assert.Equal("one file\n", await server.OutputAsync(await server.SpawnAsync(), "echo one file"));
        Assert.Equal([alone], Directory.EnumerateFileSystemEntries(folder));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_server_answers_soon_after_it_was_started()
    {
        var times = new List<double>();
        await using PublishedServer server = await PublishedServer.StartAsync();
        for (int round = 0; round < 5; round++)
        {
            await server.StopAsync();
            var clock = Stopwatch.StartNew();
            await server.StartAgainAsync();
            times.Add(clock.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        TestContext.Current.SendDiagnosticMessage($"start to first answer: {times[2]:0} ms median, {times[^1]:0} ms worst of {times.Count}");
        TestContext.Current.TestOutputHelper?.WriteLine($"start to first answer: {times[2]:0} ms median, {times[^1]:0} ms worst of {times.Count}");
    }
}
