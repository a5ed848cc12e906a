using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>Every operation of the document on a server with keys: without one, with a wrong one, with one that may not.</summary>
public sealed class KeyTests(KeyTests.KeyedServer server) : IClassFixture<KeyTests.KeyedServer>
{
    private const string ClientKey = "contract-client-key-0123456789";
    private const string AdminKey = "contract-admin-key-0123456789";

    public sealed class KeyedServer : IAsyncLifetime
    {
        private PublishedServer _server = null!;

        internal HttpClient Http => _server.Http;

        public async ValueTask InitializeAsync()
        {
            _server = await PublishedServer.StartAsync("mock", environment: new()
            {
                ["STACYVM_PROVIDERS_MOCK_ENABLED"] = "true",
                ["STACYVM_AUTH_API_KEY"] = ClientKey,
                ["STACYVM_AUTH_ADMIN_API_KEY"] = AdminKey,
                // The bound on guesses has tests of its own; here it would stand before the answers that are looked at.
                ["STACYVM_AUTH_MAX_FAILED_LOGINS_PER_MINUTE"] = "0",
            });
        }

        public ValueTask DisposeAsync()
        {
            _server.Http.DefaultRequestHeaders.Add("X-Admin-API-Key", AdminKey);
            return _server.DisposeAsync();
        }
    }

    public static IEnumerable<TheoryDataRow<string, string, string>> Closed() =>
        from operation in ApiDocument.Operations
        where operation.Scope is not null && operation.Method != "HEAD"
        from wrong in new[] { (Header: "", Key: ""), (Header: "X-API-Key", Key: "wrong"), (Header: "Authorization", Key: "Bearer wrong") }
        select new TheoryDataRow<string, string, string>(operation.Id, wrong.Header, wrong.Key)
        {
            TestDisplayName = $"{operation.Name} refuses {(wrong.Header.Length == 0 ? "who has no key" : $"a wrong key in {wrong.Header}")}",
        };

    [Theory, MemberData(nameof(Closed))]
    public async Task Without_a_right_key_it_is_unauthorized(string id, string header, string key)
    {
        ApiAnswer answer = await SendAsync(id, header, key);
        answer.IsError(401, "UNAUTHORIZED");
        Assert.Equal("invalid or missing API key", answer.Json.GetProperty("message").GetString());
    }

    public static IEnumerable<TheoryDataRow<string>> ForAdministrators() =>
        from operation in ApiDocument.Operations
        where operation.Scope == "admin:*" && operation.Method != "HEAD"
        select new TheoryDataRow<string>(operation.Id) { TestDisplayName = $"{operation.Name} refuses the client key" };

    [Theory, MemberData(nameof(ForAdministrators))]
    public async Task The_client_key_does_not_open_what_is_for_administrators(string id)
    {
        ApiAnswer answer = await SendAsync(id, "X-API-Key", ClientKey);
        answer.IsError(403, "FORBIDDEN");
        Assert.Equal("admin API key required", answer.Json.GetProperty("message").GetString());
    }

    public static IEnumerable<TheoryDataRow<string>> Open() =>
        from operation in ApiDocument.Operations
        where operation.Scope is null
        select new TheoryDataRow<string>(operation.Id) { TestDisplayName = $"{operation.Name} answers strangers shortly and everyone with a key in full" };

    [Theory, MemberData(nameof(Open))]
    public async Task What_is_open_says_little_to_strangers(string id)
    {
        ApiAnswer stranger = await SendAsync(id, "", "");
        stranger.IsCompactJson();
        Assert.Equal(["status"], stranger.Json.EnumerateObject().Select(field => field.Name));
        foreach ((string header, string key) in new[] { ("X-API-Key", ClientKey), ("X-API-Key", AdminKey), ("X-Admin-API-Key", AdminKey), ("X-Admin-API-Key", ClientKey), ("Authorization", "Bearer " + ClientKey) })
        {
            JsonElement known = (await SendAsync(id, header, key)).Json;
            Assert.True(known.TryGetProperty("version", out _) && known.TryGetProperty("uptime", out _), $"{header}: {known}");
        }
    }

    [Fact]
    public async Task A_fresh_server_lists_no_sandboxes_as_an_empty_list()
    {
        ApiAnswer answer = await SendAsync("listSandboxes", "X-API-Key", ClientKey);
        Assert.Equal("[]\n", answer.Text);
    }

    private async Task<ApiAnswer> SendAsync(string id, string header, string key)
    {
        using HttpRequestMessage request = new ContractCall(ApiDocument.Operation(id), "mock").Request();
        if (header.Length > 0)
            request.Headers.TryAddWithoutValidation(header, key);
        return await ApiAnswer.ReadAsync(await server.Http.SendAsync(request));
    }
}
