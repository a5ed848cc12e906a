using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>The workspace as a whole is bounded: many files do not get round the bound of one.</summary>
public sealed class DiskTests
{
    private const int Megabytes = 32;

    [Fact]
    public async Task Beyond_the_disk_size_writes_are_refused_until_something_is_deleted()
    {
        await using PublishedServer server = await SmallAsync();
        string id = await server.SpawnAsync();
        string neighbour = await server.SpawnAsync();
        await server.OutputAsync(id, "for i in 1 2 3 4; do head -c 10M /dev/zero > /workspace/f$i; done");
        await Eventually.HoldsAsync(async () => (await PutAsync(server, id)).Status == 507, "a write through the API is refused", server);
        Assert.Contains("RESOURCE_LIMIT", (await PutAsync(server, id)).Text);
        JsonElement refused = await server.ExecAsync(id, "echo more > /workspace/more");
        Assert.NotEqual(0, refused.GetProperty("exit_code").GetInt32());
        Assert.Equal(200, (await PutAsync(server, neighbour)).Status);
        // Reading and deleting go on, and with what was deleted the right to write comes back.
        Assert.Equal("10485760\n", await server.OutputAsync(id, "cat /workspace/f1 | wc -c"));
        await server.OutputAsync(id, "rm /workspace/f1 /workspace/f2");
        await Eventually.HoldsAsync(async () => (await PutAsync(server, id)).Status == 200, "a write is taken again", server);
        Assert.Equal("more\n", await server.OutputAsync(id, "echo more > /workspace/more; cat /workspace/more"));
    }

    [Theory]
    [InlineData("python3 -c 'n = 0\nwhile True:\n n += 1\n open(\"/workspace/\" + \"i\" * 50 + str(n), \"w\").close()'")]
    [InlineData("trap '' XFSZ; python3 -c 'import mmap, os\nf = os.open(\"/workspace/hole\", os.O_RDWR | os.O_CREAT)\nos.ftruncate(f, 30 << 20)\ng = [os.open(\"/workspace/h%d\" % i, os.O_RDWR | os.O_CREAT) for i in range(8)]\nfor h in g: os.ftruncate(h, 30 << 20)\nfor h in g:\n m = mmap.mmap(h, 30 << 20)\n for at in range(0, 30 << 20, 4096): m[at] = 1\n m.flush()\nwhile True: pass'")]
    public async Task What_no_limit_of_writes_stops_ends_the_sandbox_with_the_reason(string attack)
    {
        await using PublishedServer server = await SmallAsync();
        string hostile = await server.SpawnAsync();
        string neighbour = await server.SpawnAsync();
        await server.PostAsync($"sandboxes/{hostile}/exec", JsonSerializer.Serialize(new { command = attack, background = true }));
        await Eventually.HoldsAsync(
            async () =>
            {
                // An exec that fails is what makes the server look.
                using HttpResponseMessage answer = await server.Http.PostAsync($"sandboxes/{hostile}/exec", new StringContent("""{"command":"true"}"""));
                return (await server.GetAsync($"sandboxes/{hostile}")).TryGetProperty("reason", out JsonElement reason)
                    && reason.GetString()!.Contains("twice its 32 MiB of disk", StringComparison.Ordinal);
            },
            "the hostile sandbox has ended, with the reason", server);
        Assert.Equal("fine\n", await server.OutputAsync(neighbour, "echo fine"));
    }

    private static Task<PublishedServer> SmallAsync() => PublishedServer.StartAsync(environment: new() { ["STACYVM_DEFAULTS_DISK_SIZE_MB"] = Megabytes.ToString() });

    private static async Task<(int Status, string Text)> PutAsync(PublishedServer server, string id)
    {
        using HttpResponseMessage answer = await server.Http.PutAsync($"sandboxes/{id}/files?path=/workspace/put", new StringContent("content"));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
