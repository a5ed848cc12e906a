using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Api;

/// <summary>Bytes in, bytes out: whole, in parts, and what a path is told about.</summary>
public sealed class FileTransferTests
{
    [Fact]
    public async Task Bytes_of_any_value_come_back_as_they_went_in()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        byte[] content = RandomNumberGenerator.GetBytes(3_000_001);
        await PutAsync(server, id, "/workspace/deep/er/bytes&mode=0750", content);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), (await server.OutputAsync(id, "sha256sum /workspace/deep/er/bytes | cut -d' ' -f1")).Trim());
        Assert.Equal("750\n", await server.OutputAsync(id, "stat -c %a /workspace/deep/er/bytes"));
        Assert.Equal(content, await server.Http.GetByteArrayAsync($"sandboxes/{id}/files?path=/workspace/deep/er/bytes"));
        using var head = new HttpRequestMessage(HttpMethod.Head, $"sandboxes/{id}/files?path=/workspace/deep/er/bytes");
        using HttpResponseMessage told = await server.Http.SendAsync(head);
        Assert.Equal(content.Length, told.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("bytes=2-5", 206, "2345", "bytes 2-5/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-3", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=8-100", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    public async Task A_part_of_a_file_is_had_by_its_range(string range, int status, string? content, string contentRange)
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        await PutAsync(server, id, "/workspace/ten", "0123456789"u8.ToArray());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"sandboxes/{id}/files?path=/workspace/ten");
        request.Headers.Range = RangeHeaderValue.Parse(range);
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        Assert.Equal((status, contentRange), ((int)answer.StatusCode, answer.Content.Headers.ContentRange?.ToString()));
        if (content is not null)
            Assert.Equal(content, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_json_forms_write_list_move_and_delete()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        await server.PostAsync($"sandboxes/{id}/files", """{"path":"/workspace/a","content_base64":"/wCA"}""");
        Assert.Equal([0xFF, 0x00, 0x80], await server.Http.GetByteArrayAsync($"sandboxes/{id}/files?path=/workspace/a"));
        await server.PostAsync($"sandboxes/{id}/files/mkdir", """{"path":"/workspace/d"}""");
        await server.PostAsync($"sandboxes/{id}/files/move", """{"old_path":"/workspace/a","new_path":"/workspace/d/b"}""");
        await server.PostAsync($"sandboxes/{id}/files/chmod", """{"path":"/workspace/d/b","mode":"0600"}""");
        JsonElement stat = await server.GetAsync($"sandboxes/{id}/files/stat?path=/workspace/d/b");
        Assert.Equal((3, "0600", "file"), (stat.GetProperty("size").GetInt32(), stat.GetProperty("mode").GetString(), stat.GetProperty("type").GetString()));
        Assert.Equal("""["/workspace/d/b"]""", (await server.GetAsync($"sandboxes/{id}/files/glob?pattern=/workspace/**/b")).GetRawText());
        Assert.Equal("d", (await server.GetAsync($"sandboxes/{id}/files/list?path=/workspace"))[0].GetProperty("name").GetString());

        Assert.Equal(409, await StatusAsync(server, HttpMethod.Delete, $"sandboxes/{id}/files?path=/workspace/d"));
        Assert.Equal(200, await StatusAsync(server, HttpMethod.Delete, $"sandboxes/{id}/files?path=/workspace/d&recursive=true"));
        Assert.Equal(404, await StatusAsync(server, HttpMethod.Get, $"sandboxes/{id}/files?path=/workspace/d/b"));
        Assert.Equal(400, await StatusAsync(server, HttpMethod.Get, $"sandboxes/{id}/files?path=/workspace"));
    }

    private static async Task<int> StatusAsync(PublishedServer server, HttpMethod method, string path)
    {
        using HttpResponseMessage answer = await server.Http.SendAsync(new HttpRequestMessage(method, path));
        return (int)answer.StatusCode;
    }

    private static async Task PutAsync(PublishedServer server, string id, string path, byte[] content)
    {
        using HttpResponseMessage answer = await server.Http.PutAsync($"sandboxes/{id}/files?path={path}", new ByteArrayContent(content));
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }
}
