using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Files over HTTP.</summary>
public sealed class FileTests
{
    [Theory]
    [InlineData("""{"path":"/a","content":"häl\u0000lo"}""", "häl\0lo")]
    [InlineData("""{"path":"/a","content_base64":"aGk="}""", "hi")]
    [InlineData("""{"path":"/a","content":"aGk=","encoding":"base64"}""", "hi")]
    [InlineData("""{"path":"/a"}""", "")]
    public async Task A_JSON_write_takes_text_and_base64(string body, string content)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/files", body);
        Assert.Equal((200, "written"), (status, answer.GetProperty("status").GetString()));
        Assert.Equal(content, Encoding.UTF8.GetString(server.Provider[id].Memory.Content["/a"]));
    }

    [Theory]
    [InlineData("POST", "files", """{"content":"x"}""", 400)]
    [InlineData("POST", "files", """{"path":"  ","content":"x"}""", 400)]
    [InlineData("POST", "files", """{"path":"/a","content_base64":"%%"}""", 400)]
    [InlineData("POST", "files", """{"path":"/a","mode":"rw"}""", 400)]
    [InlineData("POST", "files", """{"path":"/a","mode":"99999"}""", 400)]
    [InlineData("POST", "files", """{"path":"/a\u0000b"}""", 400)]
    [InlineData("GET", "files", null, 400)]
    [InlineData("GET", "files?path=", null, 400)]
    [InlineData("GET", "files?path=%20", null, 400)]
    [InlineData("GET", "files?path=%2Fa%00b", null, 400)]
    [InlineData("GET", "files?path=%2Fmissing", null, 404)]
    [InlineData("GET", "files?path=..%2f..%2fetc%2fpasswd", null, 404)]
    [InlineData("GET", "files?path=%c0%ae%c0%ae%2f", null, 404)]
    [InlineData("GET", "files?path=%2Fdir", null, 400)]
    [InlineData("GET", "files/stat", null, 400)]
    [InlineData("GET", "files/glob", null, 400)]
    [InlineData("GET", "files/stat?path=%2Fmissing", null, 404)]
    [InlineData("DELETE", "files?path=%2Fmissing", null, 404)]
    [InlineData("DELETE", "files?path=%2Fdir", null, 409)]
    [InlineData("DELETE", "files", null, 400)]
    [InlineData("PUT", "files", "x", 400)]
    [InlineData("POST", "files/move", """{"old_path":"/a"}""", 400)]
    [InlineData("POST", "files/chmod", """{"path":"/a"}""", 400)]
    [InlineData("POST", "files/mkdir", """{"path":""}""", 400)]
    public async Task What_is_wrong_with_a_path_is_told(string method, string path, string? body, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        (int given, JsonElement answer) = await server.SendAsync(new HttpMethod(method), $"sandboxes/{id}/{path}", body);
        Assert.Equal(status, given);
        Assert.True(answer.GetProperty("message").GetString()!.Length > 0);
    }

    [Fact]
    public async Task The_messages_of_missing_parameters_are_the_contracts()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        Assert.Equal("path query parameter required", (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files")).Body.GetProperty("message").GetString());
        Assert.Equal("pattern query parameter required", (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files/glob")).Body.GetProperty("message").GetString());
        string extend = $"sandboxes/{id}/extend";
        Assert.Equal("ttl is required", (await server.SendAsync(HttpMethod.Post, extend, "{}")).Body.GetProperty("message").GetString());
        Assert.Equal("ttl must be positive", (await server.SendAsync(HttpMethod.Post, extend, """{"ttl":"-1s"}""")).Body.GetProperty("message").GetString());
        Assert.StartsWith("invalid ttl format: ", (await server.SendAsync(HttpMethod.Post, extend, """{"ttl":"2d"}""")).Body.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_file_of_any_size_goes_up_and_comes_down_as_it_is()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { MaxJsonBytes = 1000 });
        string id = await server.SpawnAsync();
        byte[] content = new byte[48 * 1024 * 1024 + 7];
        new Random(1).NextBytes(content);
        using (HttpResponseMessage put = await server.Http.PutAsync($"sandboxes/{id}/files?path=%2Fbig&mode=755", new ByteArrayContent(content)))
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Equal(0x1EDu, server.Provider[id].Memory.Modes["/big"]);
        using HttpResponseMessage got = await server.AnswerAsync(HttpMethod.Get, $"sandboxes/{id}/files?path=%2Fbig");
        Assert.Equal("application/octet-stream", got.Content.Headers.ContentType!.ToString());
        Assert.Equal(content.Length, got.Content.Headers.ContentLength);
        byte[] back = await got.Content.ReadAsByteArrayAsync();
        Assert.True(content.AsSpan().SequenceEqual(back));
    }

    [Theory]
    [InlineData("bytes=0-3", 206, "0123", "bytes 0-3/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-2", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=-99", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=8-99", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=9-9223372036854775807", 206, "9", "bytes 9-9/10")]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    [InlineData("bytes=-0", 416, null, "bytes */10")]
    [InlineData("bytes=3-1", 200, "0123456789", null)]
    [InlineData("bytes=0-1,3-4", 200, "0123456789", null)]
    [InlineData("lines=1-2", 200, "0123456789", null)]
    public async Task A_range_is_answered_with_its_part(string range, int status, string? content, string? contentRange)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        server.Provider[id].Memory.Content["/ten"] = "0123456789"u8.ToArray();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, $"sandboxes/{id}/files?path=%2Ften", null, ("Range", range));
        Assert.Equal(status, (int)answer.StatusCode);
        if (content is not null)
            Assert.Equal(content, await answer.Content.ReadAsStringAsync());
        Assert.Equal(contentRange, answer.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task HEAD_tells_the_size_and_sends_nothing()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        server.Provider[id].Memory.Content["/ten"] = "0123456789"u8.ToArray();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Head, $"sandboxes/{id}/files?path=%2Ften");
        Assert.Equal((200, 10L), ((int)answer.StatusCode, answer.Content.Headers.ContentLength));
        Assert.Equal("", await answer.Content.ReadAsStringAsync());
        using HttpResponseMessage missing = await server.AnswerAsync(HttpMethod.Head, $"sandboxes/{id}/files?path=%2Fno");
        Assert.Equal(404, (int)missing.StatusCode);
    }

    [Fact]
    public async Task Half_an_upload_leaves_the_old_file()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        server.Provider[id].Memory.Content["/a"] = "old"u8.ToArray();
        using (var client = new TcpClient())
        {
            await client.ConnectAsync("127.0.0.1", server.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"PUT /api/v1/sandboxes/{id}/files?path=/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"));
            while (server.Provider[id].Memory.WriteEnded.Task.IsCompleted)
                await Task.Yield();
        }
        await server.Provider[id].Memory.WriteEnded.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("old", Encoding.UTF8.GetString(server.Provider[id].Memory.Content["/a"]));
    }

    [Fact]
    public async Task Entries_have_the_contracts_fields()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        server.Provider[id].Memory.Content["/x/ten"] = "0123456789"u8.ToArray();
        (_, JsonElement stat) = await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files/stat?path=%2Fx%2Ften");
        Assert.Equal(
            """{"path":"/x/ten","name":"ten","size":10,"mode":"0644","is_dir":false,"mod_time":"2023-11-14T22:13:20Z","type":"file"}""", stat.GetRawText());
        Assert.Equal("[]", (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files/list?path=%2Fnone")).Body.GetRawText());
        Assert.Equal(1, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files/list")).Body.GetArrayLength());
        Assert.Equal("""["/x/ten"]""", (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files/glob?pattern=**ten")).Body.GetRawText());
        Assert.Equal("moved", Word(await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/files/move", """{"old_path":"/x/ten","new_path":"/y"}""")));
        Assert.Equal("chmod applied", Word(await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/files/chmod", """{"path":"/y","mode":"0600"}""")));
        Assert.Equal("created", Word(await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/files/mkdir", """{"path":"/z"}""")));
        Assert.Equal("deleted", Word(await server.SendAsync(HttpMethod.Delete, $"sandboxes/{id}/files?path=%2Fy&recursive=true")));

        static string? Word((int Status, JsonElement Body) answer) => answer.Body.GetProperty("status").GetString();
    }
}
