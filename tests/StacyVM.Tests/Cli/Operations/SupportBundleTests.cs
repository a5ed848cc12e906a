using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Cli.Operations;
using StacyVM.Engine.Configuration;
using StacyVM.Sdk;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Cli.Operations;

public sealed class SupportBundleTests : IDisposable
{
    private const string Canary = "canary-value-of-a-secret";

    private readonly ConfigurationSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    public static TheoryData<string> Secrets => [.. ConfigurationKeys.All.Where(key => key.IsSecret).Select(key => key.Name)];

    [Theory]
    [MemberData(nameof(Secrets))]
    public async Task No_secret_of_the_configuration_is_in_it(string key)
    {
        ConfigurationKey known = ConfigurationKeys.Find(key)!;
        // In the file in the form of its type, in a variable, and in a file of its own.
        string written = known.Type switch { "list" => $"[{Canary}]", "map" => $"{{ worker: {Canary} }}", _ => Canary };
        _sandbox.WriteYaml(Nested(key, written));
        await AbsentAsync();

        if (known.Type != "map")
        {
            _sandbox.WriteYaml("");
            _sandbox.Environment[known.Variable] = Canary;
            await AbsentAsync();
            _sandbox.Environment.Clear();
        }
        if (known.IsUsed)
        {
            _sandbox.Environment[known.Variable + "_FILE"] = _sandbox.Write("secret", Canary);
            await AbsentAsync();
        }
    }

    public static TheoryData<string> Keys => [.. ConfigurationKeys.All.Select(key => key.Name)];

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task No_credentials_in_any_value_are_in_it(string key)
    {
        ConfigurationKey known = ConfigurationKeys.Find(key)!;
        foreach (string text in (string[])[$"https://ada:{Canary}@example.com/path", $"postgres://ada:{Canary}@db/x?password={Canary}", $"host=db;password={Canary}"])
        {
            string value = known.Type switch { "list" => $"['{text}']", "map" => $"{{ /x: '{text}' }}", _ => $"'{text}'" };
            // Values that do not fit make faults, which repeat them.
            _sandbox.WriteYaml(Nested(key, value));
            await AbsentAsync();
        }
    }

    [Fact]
    public async Task Nothing_of_an_unknown_key_or_a_broken_file_is_in_it()
    {
        foreach (string yaml in (string[])[$"servr: {{ key: {Canary} }}", $"{Canary}: 1", $"server: {{ port: {Canary} }}", $"auth: [ {Canary}", $"auth:\n  api_key: {Canary}\n api_key: x"])
        {
            _sandbox.WriteYaml(yaml);
            await AbsentAsync();
        }
    }

    [Fact]
    public async Task A_secret_that_stands_in_another_value_goes_too()
    {
        _sandbox.WriteYaml($"auth: {{ api_key: {Canary} }}\ndefaults: {{ image: registry/{Canary}/image }}\ndata_dir: /tmp/{Canary}");
        JsonObject bundle = await AbsentAsync();

        Assert.Contains(TextScrubber.Redacted, bundle["config"]!["defaults.image"]!["value"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_helps_is_in_it()
    {
        _sandbox.WriteYaml("server: { port: 8123, allowed_hosts: [internal.example] }\nproviders: { docker: { runtime: runsc } }");
        JsonObject bundle = await AbsentAsync();

        Assert.Equal("8123", bundle["config"]!["server.port"]!["value"]!.GetValue<string>());
        Assert.Equal("file", bundle["config"]!["server.port"]!["layer"]!.GetValue<string>());
        Assert.Equal("runsc", bundle["config"]!["providers.docker.runtime"]!["value"]!.GetValue<string>());
        Assert.Equal("[TEXT LEFT OUT]", bundle["config"]!["server.allowed_hosts"]!["value"]!.GetValue<string>());
        Assert.Equal("linux", bundle["runtime"]!["goos"]!.GetValue<string>());
        Assert.Equal(4, bundle["redactions"]!.AsArray().Count);
        JsonObject first = bundle["config_lint"]!.AsArray()[0]!.AsObject();
        Assert.Equal(["Name", "Status", "Message", "Remediation"], first.Select(property => property.Key));
        Assert.Equal("2030-01-01T00:00:00Z", bundle["generated_at"]!.GetValue<string>());
    }

    [Fact]
    public async Task Texts_of_the_server_are_left_out_whatever_they_look_like()
    {
        string diagnostics = $$$"""
            {"build":{"version":"0.15.0","goos":"linux"},"store":{"healthy":false,"latency_ms":3,"error":"cannot open {{{Canary}}}"},
             "providers":[{"name":"docker","healthy":false,"error":"dial {{{Canary}}}","enforced":{"{{{Canary}}}":"x"}},{"name":"{{{Canary}}}"}],
             "operations":[{"operation":"exec_stream","provider":"docker","failure_total":7,"last_error":"curl -u ada:{{{Canary}}} failed"}],
             "sandboxes":{"by_state":{"running":2},"by_worker":{"{{{Canary}}}":1}},"limits":{"max_ttl":"24h0m0s","spawn_overflow":"reject"},
             "workers":{"items":[{"id":"{{{Canary}}}","capacity":{"rpc_url":"http://ada:{{{Canary}}}@w"}}]},"{{{Canary}}}":{"a":1},"status":"{{{Canary}}}"}
            """;
        using Answering server = Answering.With(200, diagnostics);

        JsonObject bundle = await CollectAsync(server.Client);

        Assert.DoesNotContain(Canary, bundle.ToJsonString());
        JsonNode kept = bundle["server_diagnostics"]!;
        Assert.Equal("0.15.0", kept["build"]!["version"]!.GetValue<string>());
        Assert.Equal(7, kept["operations"]![0]!["failure_total"]!.GetValue<int>());
        Assert.Equal("exec_stream", kept["operations"]![0]!["operation"]!.GetValue<string>());
        Assert.Equal("docker", kept["providers"]![0]!["name"]!.GetValue<string>());
        Assert.Equal("24h0m0s", kept["limits"]!["max_ttl"]!.GetValue<string>());
        Assert.Equal(2, kept["sandboxes"]!["by_state"]!["running"]!.GetValue<int>());
    }

    [Fact]
    public async Task An_error_of_the_server_is_named_by_its_code_alone()
    {
        using Answering server = Answering.With(403, $$"""{"code":"FORBIDDEN","message":"{{Canary}}"}""");

        JsonObject bundle = await CollectAsync(server.Client);

        Assert.DoesNotContain(Canary, bundle.ToJsonString());
        Assert.Equal("GET /diagnostics: FORBIDDEN", bundle["collection_errors"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task The_file_is_for_its_owner_alone()
    {
        string path = Path.Combine(_sandbox.Home, "bundle.json");
        await File.WriteAllTextAsync(path, "old");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        SupportBundle.Write(await CollectAsync(), path);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal("linux", JsonDocument.Parse(await File.ReadAllTextAsync(path)).RootElement.GetProperty("runtime").GetProperty("goos").GetString());
    }

    private async Task<JsonObject> AbsentAsync()
    {
        JsonObject bundle = await CollectAsync();
        Assert.DoesNotContain(Canary, bundle.ToJsonString());
        return bundle;
    }

    private Task<JsonObject> CollectAsync(Func<StacyClient>? server = null) => SupportBundle.CollectAsync(
        _sandbox.Sources, includeDoctor: false, server, apiKey: null, new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)), default);

    private static string Nested(string key, string value)
    {
        string[] parts = key.Split('.');
        return string.Concat(parts[..^1].Select(part => $"{part}: {{ ")) + $"{parts[^1]}: {value}" + string.Concat(parts[..^1].Select(_ => " }"));
    }

    /// <summary>A server of one answer.</summary>
    private sealed class Answering : IDisposable
    {
        private readonly HttpListener _listener = new();

        public static Answering With(int status, string body)
        {
            var server = new Answering();
            server._listener.Prefixes.Add($"http://127.0.0.1:{server.Port}/");
            server._listener.Start();
            _ = server.AnswerAsync(status, Encoding.UTF8.GetBytes(body));
            return server;
        }

        public Func<StacyClient> Client => () => new StacyClient(new StacyClientOptions { BaseUrl = $"http://127.0.0.1:{Port}" });

        private int Port { get; } = FreePort();

        public void Dispose() => _listener.Close();

        private async Task AnswerAsync(int status, byte[] body)
        {
            HttpListenerContext call = await _listener.GetContextAsync();
            call.Response.StatusCode = status;
            call.Response.ContentType = "application/json";
            await call.Response.OutputStream.WriteAsync(body);
            call.Response.Close();
        }

        private static int FreePort()
        {
            using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            return ((IPEndPoint)probe.LocalEndpoint).Port;
        }
    }
}
