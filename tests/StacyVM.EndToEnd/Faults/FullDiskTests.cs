using System.Net;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Faults;

/// <summary>The disk under the data directory is full: the contract's answers, nothing half made, and everything goes on when there is space again.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_is_told_leaves_nothing_half_made_and_is_got_over()
    {
        using SmallDisk disk = SmallDisk.Mount(64);
        await using PublishedServer server = await PublishedServer.StartAsync(parent: disk.Path);
        string id = await server.SpawnAsync();
        await server.OutputAsync(id, "echo old > /workspace/kept");
        string sandboxes = Path.Combine(server.DataDirectory, "sandboxes");
        disk.Fill();

        // 1. Writing: refused with the code, and the file that was there is whole.
        (int status, string text) = await PutAsync(server, id, "kept", new byte[1 << 20]);
        Assert.True(status == 507 && text.Contains("RESOURCE_LIMIT", StringComparison.Ordinal), $"{status} {text}");
        Assert.Equal("old\n", await server.OutputAsync(id, "cat /workspace/kept"));
        Assert.Equal("kept\n", await server.OutputAsync(id, "ls -A /workspace"));

        // 2. Commands run on: they need no disk. One that writes hears it from the kernel.
        JsonElement written = await server.ExecAsync(id, "head -c 1000000 /dev/zero > /workspace/big; echo code $?; rm -f /workspace/big");
        Assert.Contains("No space left on device", written.GetProperty("stderr").GetString());
        Assert.Equal("code 1\n", written.GetProperty("stdout").GetString());

        // 3. A spawn is refused whole, again and again.
        for (int round = 0; round < 3; round++)
        {
            disk.Fill();
            using HttpResponseMessage refused = await server.Http.PostAsync("sandboxes", new StringContent("{}"));
            string why = await refused.Content.ReadAsStringAsync();
            Assert.True((int)refused.StatusCode == 507 && why.Contains("RESOURCE_LIMIT", StringComparison.Ordinal), $"{(int)refused.StatusCode} {why}\n{server.Log}");
        }
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("ready")).StatusCode);

        // 4. There is space again, and with it everything. A create that could not even be written down as failed is gone by then, too.
        disk.Free();
        Assert.Equal(200, (await PutAsync(server, id, "kept", "new"u8.ToArray())).Status);
        Assert.Equal("new", await server.OutputAsync(id, "cat /workspace/kept"));
        string second = await server.SpawnAsync();
        Assert.Equal("works\n", await server.OutputAsync(second, "echo works"));
        await server.DestroyAsync(second);
        await Eventually.HoldsAsync(
            async () => (await server.GetAsync("sandboxes")).EnumerateArray().Select(row => row.GetProperty("id").GetString()).SequenceEqual([id]),
            "only the first sandbox is listed", server);
        // A probe of the level has a directory there for a moment, too.
        await Eventually.HoldsAsync(
            () => Task.FromResult(Directory.GetFileSystemEntries(sandboxes).SequenceEqual([Path.Combine(sandboxes, id)])), "only the first sandbox has a directory", server);
    }

    [Fact]
    public async Task A_sandbox_is_destroyed_on_a_full_disk_and_a_restart_there_finds_what_runs()
    {
        using SmallDisk disk = SmallDisk.Mount(64);
        await using PublishedServer server = await PublishedServer.StartAsync(parent: disk.Path);
        string kept = await server.SpawnAsync();
        string doomed = await server.SpawnAsync();
        disk.Fill();
        // Its own directory makes a little room; whether the row can be written at once or later, it is never listed as running again.
        HttpStatusCode destroyed = await server.DestroyAsync(doomed);
        Assert.True(destroyed is HttpStatusCode.OK or (HttpStatusCode)507, $"{destroyed}\n{server.Log}");
        disk.Fill();
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal("alive\n", await server.OutputAsync(kept, "echo alive"));
        disk.Free();
        await Eventually.HoldsAsync(
            async () => (await server.GetAsync("sandboxes")).EnumerateArray().All(row => row.GetProperty("id").GetString() == kept),
            "only the kept sandbox is listed", server);
    }

    private static async Task<(int Status, string Text)> PutAsync(PublishedServer server, string id, string name, byte[] content)
    {
        using HttpResponseMessage answer = await server.Http.PutAsync($"sandboxes/{id}/files?path=/workspace/{name}", new ByteArrayContent(content));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
