using System.Collections.Concurrent;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>The published server without keys, with a real level and the one for tests. It remembers the good answer of each operation.</summary>
public sealed class ContractServer : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, Task<ApiAnswer>> _answers = new();
    private readonly ConcurrentDictionary<string, Task<string>> _sandboxes = new();
    private PublishedServer _server = null!;

    internal PublishedServer Server => _server;

    public async ValueTask InitializeAsync() =>
        _server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_PROVIDERS_MOCK_ENABLED"] = "true" });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>A sandbox that tests share; they leave it alive.</summary>
    public Task<string> SharedSandboxAsync(string provider) => _sandboxes.GetOrAdd(provider, SpawnAsync);

    public Task<string> SpawnAsync(string provider) => _server.SpawnAsync($$"""{"provider":"{{provider}}","ttl":"20m"}""");

    /// <summary>The answer of an operation to right input; asked for once.</summary>
    internal Task<ApiAnswer> GoodAnswerAsync(ApiOperation operation, string provider) =>
        _answers.GetOrAdd($"{operation.Name} {provider}", _ => CallAsync(operation, provider));

    /// <summary>Prepares what an operation needs, calls it, and removes a sandbox that was made for it.</summary>
    internal async Task<ApiAnswer> CallAsync(ApiOperation operation, string provider, Action<ContractCall>? change = null, string suffix = "")
    {
        var call = new ContractCall(operation, provider);
        if (operation.OfSandbox)
            call.Route["id"] = await SpawnAsync(provider);
        await Preparations.ApplyAsync(this, call);
        change?.Invoke(call);
        ApiAnswer answer = await SendAsync(call.Request(suffix));
        if (answer.Status == 201 && answer.Text.StartsWith("{\"sandboxes\":", StringComparison.Ordinal))
        {
            foreach (JsonElement fork in answer.Json.GetProperty("sandboxes").EnumerateArray())
                await _server.DestroyAsync(fork.GetProperty("id").GetString()!);
        }
        if (operation.OfSandbox)
            await _server.DestroyAsync(call.Sandbox);
        else if (answer.Status == 201 && answer.Text.StartsWith("{\"id\":\"sb-", StringComparison.Ordinal))
            await _server.DestroyAsync(answer.Json.GetProperty("id").GetString()!);
        return answer;
    }

    internal async Task<ApiAnswer> SendAsync(HttpRequestMessage request)
    {
        using (request)
            return await ApiAnswer.ReadAsync(await _server.Http.SendAsync(request));
    }

    internal Task<ApiAnswer> SendAsync(string method, string path, string? body = null) =>
        SendAsync(new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body) });

    /// <summary>Sends JSON and expects success.</summary>
    internal async Task<JsonElement> DoneAsync(string method, string path, string? body = null)
    {
        ApiAnswer answer = await SendAsync(method, path, body);
        Assert.True(answer.Status is >= 200 and < 300, $"{method} {path}: {answer.Status} {answer.Text}");
        return answer.Json;
    }
}

[CollectionDefinition(Name)]
public sealed class ContractServerCollection : ICollectionFixture<ContractServer>
{
    public const string Name = "contract";
}
