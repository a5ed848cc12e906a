using System.Reflection;
using StacyVM.EndToEnd.Server;
using StacyVM.Engine.Sandboxes;
using Xunit;

namespace StacyVM.EndToEnd.Faults;

/// <summary>
/// kill -9 at each named step of a create, a destroy and a start. After the next start the rows tell the truth, and once they are destroyed
/// nothing is left; the latter is what disposing the server asserts.
/// </summary>
public sealed class FaultPointTests
{
    [Theory]
    [InlineData("create.reserved")]
    [InlineData("create.record_written")]
    [InlineData("create.built")]
    [InlineData("create.prepared")]
    [InlineData("create.running_written")]
    [InlineData("create.announced")]
    public async Task A_create_that_is_cut_off_is_undone_or_whole(string point)
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string before = await server.SpawnAsync();
        await server.StopAsync();
        await server.StartAgainAsync(point);

        await CutOffAsync(server, () => server.Http.PostAsync("sandboxes", new StringContent("""{"ttl":"10m"}""")));
        await server.StartAgainAsync();

        Assert.Contains(before, await Eventually.RowsAreTrueAsync(server));
    }

    [Theory]
    [InlineData("destroy.begun")]
    [InlineData("destroy.record_written")]
    [InlineData("destroy.removed")]
    [InlineData("destroy.row_written")]
    public async Task A_destroy_that_is_cut_off_is_finished_or_never_happened(string point)
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string kept = await server.SpawnAsync();
        string doomed = await server.SpawnAsync();
        await server.StopAsync();
        await server.StartAgainAsync(point);

        await CutOffAsync(server, () => server.Http.DeleteAsync($"sandboxes/{doomed}"));
        await server.StartAgainAsync();

        IReadOnlyList<string> rows = await Eventually.RowsAreTrueAsync(server);
        Assert.Contains(kept, rows);
        // Before the record says so nothing has been promised; afterwards the destroy must be carried through.
        if (point != "destroy.begun")
            Assert.DoesNotContain(doomed, rows);
    }

    [Theory]
    [InlineData("start.store_opened")]
    [InlineData("start.records_loaded")]
    [InlineData("start.recovered")]
    [InlineData("start.listed")]
    public async Task A_start_that_is_cut_off_loses_no_sandbox(string point)
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string[] ids = await Task.WhenAll(server.SpawnAsync(), server.SpawnAsync());
        await server.KillAsync();
        await server.StartAgainAsync(point, waitReady: false);
        await Eventually.DiesAsync(server);

        await server.StartAgainAsync();

        Assert.Equal(ids.Order(), (await Eventually.RowsAreTrueAsync(server)).Order());
    }

    [Fact]
    public async Task A_start_that_is_cut_off_while_it_removes_orphans_is_finished_by_the_next()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        await Task.WhenAll(server.SpawnAsync(), server.SpawnAsync(), server.SpawnAsync());
        await server.KillAsync();
        // Without records the sandboxes are orphans of this installation.
        foreach (string file in Directory.EnumerateFiles(server.DataDirectory, "stacyvm.db*"))
            File.Delete(file);
        await server.StartAgainAsync("start.orphan_removed", waitReady: false);
        await Eventually.DiesAsync(server);

        await server.StartAgainAsync();

        await Leaks.NoneAsync(server);
    }

    [Fact]
    public void Every_fault_point_has_a_test()
    {
        IEnumerable<string> tested =
            from method in typeof(FaultPointTests).GetMethods()
            from row in method.GetCustomAttributes<InlineDataAttribute>()
            select (string)row.Data[0]!;

        Assert.Equal(FaultPoints.Names.Order(), tested.Append("start.orphan_removed").Order());
    }

    private static async Task CutOffAsync(PublishedServer server, Func<Task<HttpResponseMessage>> call)
    {
        try
        {
            (await call()).Dispose();
        }
        catch (HttpRequestException)
        {
            // The answer died with the server; a point behind the answer lets it through.
        }
        await Eventually.DiesAsync(server);
    }
}
