using System.Net;
using System.Text;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>No spelling of a path leads out of the sandbox.</summary>
public sealed class PathTests
{
    [Fact]
    public async Task No_spelling_of_a_path_reads_or_writes_the_host()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string canary = Path.Combine(server.DataDirectory, "canary.txt");
        await File.WriteAllTextAsync(canary, "host canary");
        string id = await server.SpawnAsync();
        await server.OutputAsync(id, $"ln -s {canary} /workspace/link; ln -s / /workspace/root; ln -s ../../../../../.. /workspace/up; ln -s /proc/self/root /workspace/proc; ln -s loop2 /workspace/loop1; ln -s loop1 /workspace/loop2");
        string[] spellings =
        [
            canary, "/workspace/link", "/workspace/root" + canary, "/workspace/up" + canary, "/workspace/proc" + canary, "/proc/1/root" + canary,
            "/proc/self/root" + canary, "/workspace/../../../.." + canary, "../../../../../.." + canary, "/workspace/./.././.." + canary, canary + "/.",
            canary + "\0.png", "/workspace\\..\\..", "/proc/self/cwd/../../../.." + canary, "/proc/self/fd/3" + canary, "/workspace/loop1", "//" + canary,
            "/..%2f..%2f" + canary, "/dev/fd/0/../../.." + canary, "/run/stacyvm/../.." + canary, new string('a', 4097), "/" + string.Join('/', Enumerable.Repeat("b", 2500)),
        ];
        foreach (string spelling in spellings)
        {
            foreach (string encoded in new[] { Uri.EscapeDataString(spelling), Uri.EscapeDataString(spelling).Replace("%2F", "%252f"), spelling.Replace("\0", "%00").Replace("\\", "%5c").Replace("..", "%2e%2e") })
            {
                using HttpResponseMessage read = await server.Http.GetAsync($"sandboxes/{id}/files?path={encoded}");
                // A spelling may well name a file of the sandbox's own, which an earlier round has written there.
                string content = await read.Content.ReadAsStringAsync();
                Assert.DoesNotContain("host canary", content);
                Assert.True((int)read.StatusCode < 500, $"GET {encoded} answered {(int)read.StatusCode} {content}");
                (await server.Http.PutAsync($"sandboxes/{id}/files?path={encoded}", new StringContent("owned"))).Dispose();
                (await server.Http.DeleteAsync($"sandboxes/{id}/files?path={encoded}&recursive=true")).Dispose();
                Assert.Equal("host canary", await File.ReadAllTextAsync(canary));
            }
        }
        Assert.Equal("alive\n", await server.OutputAsync(id, "echo alive"));
    }

    [Fact]
    public async Task Swapping_directories_for_links_during_a_thousand_transfers_touches_nothing_outside()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string outside = Path.Combine(server.DataDirectory, "outside");
        Directory.CreateDirectory(outside);
        await File.WriteAllTextAsync(Path.Combine(outside, "file"), "host canary");
        string id = await server.SpawnAsync();
        await server.PostAsync($"sandboxes/{id}/exec", $$"""
            {"command":"cd /workspace; mkdir -p real; echo mine > real/file; while true; do ln -sfn {{outside}} spot; ln -sfn real spot; done","background":true}
            """);
        string path = Uri.EscapeDataString("/workspace/spot/file");
        for (int i = 0; i < 500; i++)
        {
            using HttpResponseMessage read = await server.Http.GetAsync($"sandboxes/{id}/files?path={path}");
            Assert.DoesNotContain("canary", await read.Content.ReadAsStringAsync());
            using HttpResponseMessage written = await server.Http.PutAsync($"sandboxes/{id}/files?path={path}", new ByteArrayContent(Encoding.ASCII.GetBytes("mine")));
        }
        Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(outside).Select(Path.GetFileName));
        Assert.Equal("host canary", await File.ReadAllTextAsync(Path.Combine(outside, "file")));
    }

    [Theory]
    [InlineData("DELETE", "files?path=%2F&recursive=true")]
    [InlineData("DELETE", "files?path=%2Fusr&recursive=true")]
    [InlineData("DELETE", "files?path=%2Fetc%2Fpasswd")]
    public async Task Deleting_the_host_s_tools_is_refused(string method, string path)
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"sandboxes/{id}/{path}"));
        Assert.NotEqual(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(File.Exists("/usr/bin/env") && File.Exists("/etc/passwd"));
    }
}
