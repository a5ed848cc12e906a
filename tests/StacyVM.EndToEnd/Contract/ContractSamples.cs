using System.Collections.Concurrent;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>Objects of each kind from the running server: a full one, and a bare one where there is a difference.</summary>
public sealed class ContractSamples(ContractServer server)
{
    private readonly ConcurrentDictionary<string, Task<(JsonElement Full, JsonElement Bare)>> _made = new();

    internal Task<(JsonElement Full, JsonElement Bare)> OfAsync(string kind, string provider) => _made.GetOrAdd($"{kind} {provider}", _ => MakeAsync(kind, provider));

    private async Task<(JsonElement Full, JsonElement Bare)> MakeAsync(string kind, string provider) => kind switch
    {
        "sandbox" => await SandboxesAsync(provider),
        "exec result" => Both(await server.DoneAsync("POST", $"sandboxes/{await server.SharedSandboxAsync(provider)}/exec", """{"command":"echo out; echo err >&2; exit 3"}""")),
        "stream chunk" => Both((await ChunksAsync(provider))[0]),
        "last stream chunk" => Both((await ChunksAsync(provider))[^1]),
        "file" => Both(await FileAsync(provider)),
        "provider" => Both(await HealthyAsync(provider)),
        "provider detail" => Both(await server.DoneAsync("GET", $"providers/{provider}")),
        "health" => Both(await server.DoneAsync("GET", "health")),
        "liveness" => Both(await server.DoneAsync("GET", "live")),
        "readiness" => Both(await server.DoneAsync("GET", "ready")),
        "statistics" => Both(await server.DoneAsync("GET", $"sandboxes/{await server.SharedSandboxAsync(provider)}/stats")),
        "prune result" => Both(await server.DoneAsync("DELETE", "sandboxes")),
        "admission" => await AdmissionsAsync(provider),
        "quota" => Both(await server.DoneAsync("PUT", "quotas/sampled", """{"max_sandboxes":1}""")),
        "quota summary" => Both(await server.DoneAsync("GET", "quotas/summary")),
        "quota usage" => Both(await server.DoneAsync("GET", "quotas/nobody/usage")),
        "worker" => Both(await server.DoneAsync("GET", "workers/local")),
        "pool status" => Both(await server.DoneAsync("GET", "pool/status")),
        "system statistics" => Both(await server.DoneAsync("GET", "system/stats")),
        "diagnostics" => Both(await server.DoneAsync("GET", "diagnostics")),
        "metrics" => Both(await server.DoneAsync("GET", "metrics")),
        "template" => await TemplatesAsync(),
        "environment spec" => (await SpecAsync("""{"owner_id":"sampled","name":"full","base_image":"python","python_packages":["x"],"apt_packages":["curl"],"python_version":"3.12"}"""),
            await SpecAsync("""{"owner_id":"sampled","name":"bare","base_image":"debian"}""")),
        "environment build" => Both(await BuildAsync()),
        "environment spawn config" => Both(await server.DoneAsync("GET", $"environments/builds/{(await BuildAsync()).GetProperty("id")}/spawn-config")),
        "registry connection" => Both(await server.DoneAsync("POST", "environments/registry-connections",
            """{"owner_id":"sampled","provider":"ghcr","username":"sampled","secret_ref":"hidden"}""")),
        "event" => Both(await EventAsync(provider)),
        _ => throw new InvalidOperationException($"no sample of {kind}"),
    };

    private async Task<(JsonElement, JsonElement)> SandboxesAsync(string provider)
    {
        JsonElement full = await server.DoneAsync("POST", "sandboxes", $$$"""{"provider":"{{{provider}}}","ttl":"5m","owner_id":"alice","metadata":{"a":"b"}}""");
        JsonElement bare = await server.DoneAsync("GET", $"sandboxes/{await server.SharedSandboxAsync(provider)}");
        await server.Server.DestroyAsync(full.GetProperty("id").GetString()!);
        return (full, bare);
    }

    /// <summary>A probe on a busy machine may need a second try.</summary>
    private async Task<JsonElement> HealthyAsync(string provider)
    {
        JsonElement found = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                found = (await server.DoneAsync("GET", "providers")).EnumerateArray().Single(item => item.GetProperty("name").GetString() == provider);
                return found.GetProperty("healthy").GetBoolean() || !(await server.DoneAsync("POST", "providers/test")).GetProperty(provider).GetBoolean();
            },
            $"{provider} is healthy", server.Server);
        return found;
    }

    private async Task<(JsonElement, JsonElement)> TemplatesAsync()
    {
        JsonElement full = await server.DoneAsync("POST", "templates", """
            {"name":"full","image":"host","description":"all of it","setup":["true"],"allowed_hosts":["pypi.org"],"provider":"mock","metadata":{"a":"b"},
             "env":{"A":"1"},"secrets":[{"name":"TOKEN","inject_at":"API_TOKEN","value":"hidden"}]}
            """);
        Assert.DoesNotContain("hidden", full.ToString(), StringComparison.Ordinal);
        return (full, await server.DoneAsync("POST", "templates", """{"name":"bare","image":"host"}"""));
    }

    private Task<JsonElement> SpecAsync(string body) => server.DoneAsync("POST", "environments/specs", body);

    private async Task<JsonElement> BuildAsync()
    {
        JsonElement spec = await SpecAsync($$"""{"owner_id":"sampled","name":"{{Guid.NewGuid()}}","base_image":"debian"}""");
        return await server.DoneAsync("POST", "environments/builds", $$"""{"spec_id":"{{spec.GetProperty("id")}}"}""");
    }

    private async Task<List<JsonElement>> ChunksAsync(string provider)
    {
        ApiAnswer answer = await server.SendAsync("POST", $"sandboxes/{await server.SharedSandboxAsync(provider)}/exec", """{"command":"echo hello","stream":true}""");
        Assert.Equal("application/x-ndjson", answer.ContentType);
        return [.. answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private async Task<JsonElement> FileAsync(string provider)
    {
        string id = await server.SharedSandboxAsync(provider);
        await server.DoneAsync("PUT", $"sandboxes/{id}/files?path=/workspace/sample.txt", "hello");
        return await server.DoneAsync("GET", $"sandboxes/{id}/files/stat?path=/workspace/sample.txt");
    }

    /// <summary>The full one is denied, for an owner who has as many sandboxes as the quota lets them.</summary>
    private async Task<(JsonElement, JsonElement)> AdmissionsAsync(string provider)
    {
        string owner = $"crowded-{provider}";
        string body = $$"""{"provider":"{{provider}}","ttl":"5m","owner_id":"{{owner}}"}""";
        await server.DoneAsync("PUT", $"quotas/{owner}", """{"max_sandboxes":1}""");
        JsonElement sandbox = await server.DoneAsync("POST", "sandboxes", body);
        JsonElement full = await server.DoneAsync("POST", "sandboxes/admission", body);
        await server.Server.DestroyAsync(sandbox.GetProperty("id").GetString()!);
        await server.DoneAsync("DELETE", $"quotas/{owner}");
        return (full, await server.DoneAsync("POST", "sandboxes/admission", $$"""{"provider":"{{provider}}"}"""));
    }

    private async Task<JsonElement> EventAsync(string provider)
    {
        using HttpResponseMessage stream = await server.Server.Http.GetAsync("events?type=sandbox.created", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType!.ToString());
        await server.Server.DestroyAsync(await server.SpawnAsync(provider));
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await reader.ReadLineAsync(bound.Token) is { } line)
        {
            Assert.False(line.StartsWith("event:", StringComparison.Ordinal), "a named event does not reach onmessage");
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                return JsonDocument.Parse(line["data: ".Length..]).RootElement;
        }
        throw new InvalidOperationException("the stream of events ended");
    }

    private static (JsonElement, JsonElement) Both(JsonElement one) => (one, one);
}
