using System.IO.Compression;
using System.Text.RegularExpressions;
using Xunit;

namespace StacyVM.Tests.Server.OpenApi;

public sealed partial class SwaggerPageTests
{
    private const string Key = "client-key-for-the-page";

    [Fact]
    public async Task The_page_and_the_document_need_no_key()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Key });
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "sandboxes")).Status);
        foreach (string path in new[] { "/swagger", "/swagger/", "/swagger/index.html", "/swagger/doc.json" })
            Assert.Equal(200, (int)(await server.AnswerAsync(HttpMethod.Get, path)).StatusCode);
    }

    [Fact]
    public async Task All_that_the_page_loads_comes_from_this_server()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "/swagger/");
        string page = await answer.Content.ReadAsStringAsync();
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
        MatchCollection links = Link().Matches(page);
        Assert.True(links.Count >= 4);
        foreach (Match link in links)
        {
            Assert.StartsWith("/swagger/", link.Groups[1].Value);
            using HttpResponseMessage file = await server.AnswerAsync(HttpMethod.Get, link.Groups[1].Value);
            Assert.Equal(200, (int)file.StatusCode);
            Assert.NotEmpty(await file.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task The_script_is_the_same_packed_and_unpacked()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        byte[] plain = await (await server.AnswerAsync(HttpMethod.Get, "/swagger/swagger-ui-bundle.js")).Content.ReadAsByteArrayAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "/swagger/swagger-ui-bundle.js", null, ("Accept-Encoding", "gzip, br"));
        Assert.Equal("gzip", answer.Content.Headers.ContentEncoding.Single());
        using var unpacked = new MemoryStream();
        await new GZipStream(await answer.Content.ReadAsStreamAsync(), CompressionMode.Decompress).CopyToAsync(unpacked);
        Assert.Equal(plain, unpacked.ToArray());
    }

    [Fact]
    public async Task The_document_is_one_compact_line()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "/swagger/doc.json");
        string text = await answer.Content.ReadAsStringAsync();
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.ToString());
        Assert.StartsWith("{\"openapi\":\"3.0.3\",", text);
        Assert.Equal(text.Length - 1, text.IndexOf('\n'));
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Link();
}
