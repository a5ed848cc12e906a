using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>Waits for what another process brings about; there is no signal to wait on, so it asks again.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, PublishedServer server)
    {
        var patience = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(20), $"after 20 s still not: {what}\n{server.Log}");
            await Task.Delay(20);
        }
    }

    /// <summary>The process ends without being asked to: an armed fault point was reached.</summary>
    public static async Task DiesAsync(PublishedServer server)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await server.Process.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the fault point was not reached within 30 s\n{server.Log}");
        }
    }

    /// <summary>No sandbox is between two states, and each one that is listed as running answers.</summary>
    public static async Task<IReadOnlyList<string>> RowsAreTrueAsync(PublishedServer server)
    {
        await HoldsAsync(
            async () => (await RowsAsync(server)).All(row => row.GetProperty("state").GetString() is not ("creating" or "destroying")),
            "every row has settled", server);
        var ids = new List<string>();
        foreach (JsonElement row in await RowsAsync(server))
        {
            Assert.True(row.GetProperty("state").GetString() == "running", $"{row}\n{server.Log}");
            ids.Add(row.GetProperty("id").GetString()!);
            Assert.Equal("ok\n", await server.OutputAsync(ids[^1], "echo ok"));
        }
        return ids;
    }

    private static async Task<List<JsonElement>> RowsAsync(PublishedServer server) => [.. (await server.GetAsync("sandboxes")).EnumerateArray()];
}
