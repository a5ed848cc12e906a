using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>A real browser on a page of another origin tries every way there is to reach the local API.</summary>
public sealed class BrowserTests
{
    private const string Chromium = "/usr/bin/chromium";

    [Fact]
    public async Task No_page_of_a_foreign_origin_reaches_the_api()
    {
        Assert.SkipUnless(File.Exists(Chromium) || Environment.GetEnvironmentVariable("CI") == "true", "chromium is not installed");
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using var page = new HttpListener();
        int port = server.Port == 40_001 ? 40_002 : 40_001;
        page.Prefixes.Add($"http://127.0.0.1:{port}/");
        page.Start();
        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task serving = ServeAsync(page, Page(server.Port, id), told);

        string profile = Directory.CreateTempSubdirectory("stacyvm-chromium-").FullName;
        using Process browser = Process.Start(new ProcessStartInfo(Chromium,
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", $"--user-data-dir={profile}", "--remote-debugging-port=0", $"http://127.0.0.1:{port}/",
        ])
        { RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            JsonElement outcome = JsonDocument.Parse(await told.Task.WaitAsync(TimeSpan.FromSeconds(60))).RootElement;
            foreach (JsonProperty attempt in outcome.EnumerateObject())
                Assert.True(attempt.Value.GetString()!.StartsWith("refused", StringComparison.Ordinal), $"{attempt.Name}: {attempt.Value}");
            Assert.Equal(7, outcome.EnumerateObject().Count());
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            await browser.WaitForExitAsync();
            page.Stop();
            await serving;
            Directory.Delete(profile, recursive: true);
        }
        // None of the blind requests (no-cors, form) has done anything, either.
        Assert.Equal("1", (await server.GetAsync("sandboxes")).GetArrayLength().ToString());
        Assert.Equal("no\n", await server.OutputAsync(id, "test -e /workspace/owned && echo yes || echo no"));
    }

    private static string Page(int api, string id) => $$"""
        <!doctype html><title>elsewhere</title><form id=f method=post target=sink enctype=text/plain action="http://127.0.0.1:{{api}}/api/v1/sandboxes"><input name='{"ttl":"1m","x":"' value='"}'></form>
        <iframe name=sink></iframe><script>
        const base = "http://127.0.0.1:{{api}}/api/v1", out = {};
        const own = '{"command":"touch /workspace/owned"}';
        const wait = ms => new Promise(done => setTimeout(done, ms));
        const tried = async (name, attempt) => { try { out[name] = await Promise.race([attempt(), wait(5000).then(() => "refused: silence")]); } catch (e) { out[name] = "refused: " + e; } };
        (async () => {
          await tried("get", async () => "read " + await (await fetch(base + "/sandboxes")).text());
          await tried("simple post", async () => "read " + await (await fetch(base + "/sandboxes/{{id}}/exec", { method: "POST", body: own })).text());
          await tried("json post", async () => "read " + await (await fetch(base + "/sandboxes/{{id}}/exec", { method: "POST", body: own, headers: { "Content-Type": "application/json" } })).text());
          await tried("no-cors post", async () => { const r = await fetch(base + "/sandboxes/{{id}}/exec", { method: "POST", body: own, mode: "no-cors" }); return "refused: opaque " + r.type; });
          await tried("form", async () => { document.getElementById("f").submit(); await wait(800); return "refused: nothing to read"; });
          await tried("websocket", () => new Promise((ok, no) => { const s = new WebSocket("ws://127.0.0.1:{{api}}/api/v1/sandboxes/{{id}}/exec/ws"); s.onopen = () => ok("opened"); s.onerror = () => no("error"); }));
          await tried("event source", () => new Promise((ok, no) => { const s = new EventSource(base + "/events"); s.onopen = () => ok("opened"); s.onerror = () => no("error"); }));
          await fetch("/told", { method: "POST", body: JSON.stringify(out) });
        })();
        </script>
        """;

    private static async Task ServeAsync(HttpListener listener, string html, TaskCompletionSource<string> told)
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            if (context.Request.Url!.AbsolutePath == "/told")
            {
                using var reader = new StreamReader(context.Request.InputStream);
                told.TrySetResult(await reader.ReadToEndAsync());
            }
            else
            {
                context.Response.ContentType = "text/html";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(html));
            }
            context.Response.Close();
        }
    }
}
