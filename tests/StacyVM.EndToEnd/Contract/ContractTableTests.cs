using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>The tables of the HTTP contract, row by row, on the running server.</summary>
[Collection(ContractServerCollection.Name)]
public sealed partial class ContractTableTests(ContractServer server, ContractTableTests.Samples samples) : IClassFixture<ContractTableTests.Samples>
{
    public sealed class Samples
    {
        private ContractSamples? _samples;

        internal ContractSamples On(ContractServer server) => _samples ??= new ContractSamples(server);
    }

    public static IEnumerable<TheoryDataRow<string, string, string>> Rows() =>
        from row in ContractTable.Rows
        from provider in row.Object is "sandbox" or "exec result" or "stream chunk" or "last stream chunk" or "file" or "provider" or "statistics" or "event" ? new[] { "bubblewrap", "mock" } : ["mock"]
        select new TheoryDataRow<string, string, string>(row.Object, row.Field, provider)
        {
            TestDisplayName = $"{row.Object} on {provider}: {row.Field} is {row.Type}, {(row.Presence switch { Presence.Always => "always there", Presence.WhenSet => "left out when empty", _ => "left out" })}",
        };

    [Theory, MemberData(nameof(Rows))]
    public async Task A_row_of_the_contract_holds(string kind, string field, string provider)
    {
        ContractRow row = ContractTable.Rows.Single(row => row.Object == kind && row.Field == field);
        (JsonElement full, JsonElement bare) = await samples.On(server).OfAsync(kind, provider);
        JsonElement? inFull = At(full, field), inBare = At(bare, field);
        Assert.True(inFull is not null == row.Presence is not Presence.Never, $"full: {full}");
        Assert.True(inBare is not null == row.Presence is Presence.Always, $"bare: {bare}");
        foreach (JsonElement value in new[] { inFull, inBare }.OfType<JsonElement>())
            Assert.True(Is(value, row.Type), $"{value} is not {row.Type}");
    }

    [Theory]
    [InlineData("admission", "allowed queueable active_sandboxes max_sandboxes max_ttl")]
    [InlineData("quota summary", "total with_max_sandboxes with_max_ttl with_max_exec_timeout")]
    public async Task What_a_client_takes_apart_by_name_has_exactly_these_keys(string kind, string keys)
    {
        (_, JsonElement bare) = await samples.On(server).OfAsync(kind, "mock");
        Assert.Equal(keys.Split(' ').Order(), bare.EnumerateObject().Select(field => field.Name).Order());
    }

    [Fact]
    public async Task Admission_says_where_only_to_who_asks_for_it()
    {
        JsonElement placement = await server.DoneAsync("POST", "sandboxes/admission?include=placement", """{"provider":"mock"}""");
        Assert.Equal("local", placement.GetProperty("selected_worker_id").GetString());
    }

    public static TheoryData<string, string, string, string> Statuses() => new()
    {
        { "POST", "files", """{"path":"/workspace/s.txt","content":"x"}""", "written" },
        { "POST", "files/chmod", """{"path":"/workspace/s.txt","mode":"755"}""", "chmod applied" },
        { "POST", "files/move", """{"old_path":"/workspace/s.txt","new_path":"/workspace/deep/t.txt"}""", "moved" },
        { "DELETE", "files?path=/workspace/deep/t.txt", "", "deleted" },
        { "DELETE", "files?path=/workspace&recursive=true", "", "deleted" },
        { "DELETE", "", "", "destroyed" },
    };

    [Fact]
    public async Task Calls_that_return_nothing_else_say_what_was_done()
    {
        foreach (string provider in new[] { "bubblewrap", "mock" })
        {
            string id = await server.SpawnAsync(provider);
            foreach (TheoryDataRow<string, string, string, string> row in Statuses())
            {
                (string method, string path, string body, string status) = row.Data;
                if (path.Contains("recursive", StringComparison.Ordinal) && provider == "bubblewrap")
                    path = path.Replace("/workspace", "/workspace/deep");
                ApiAnswer answer = await server.SendAsync(method, $"sandboxes/{id}/{path}".TrimEnd('/'), body.Length == 0 ? null : body);
                Assert.Equal($"{{\"status\":\"{status}\"}}\n", answer.Text);
            }
            Assert.Equal("{\"status\":\"destroyed\"}\n", (await server.SendAsync("DELETE", $"sandboxes/{id}")).Text);
            (await server.SendAsync("GET", $"sandboxes/{id}")).IsError(404, "NOT_FOUND");
        }
    }

    [Theory]
    [InlineData("files/list?path=/workspace/empty", "bubblewrap")]
    [InlineData("files/list?path=/workspace/empty", "mock")]
    [InlineData("files/glob?pattern=/workspace/*.nothing", "bubblewrap")]
    [InlineData("files/glob?pattern=/workspace/*.nothing", "mock")]
    [InlineData("processes", "bubblewrap")]
    [InlineData("processes", "mock")]
    [InlineData("ports", "bubblewrap")]
    [InlineData("logs", "mock")]
    public async Task An_empty_list_is_a_list(string path, string provider)
    {
        string id = await server.SpawnAsync(provider);
        if (path.Contains("/empty", StringComparison.Ordinal))
            await server.DoneAsync("POST", $"sandboxes/{id}/files/mkdir", """{"path":"/workspace/empty"}""");
        ApiAnswer answer = await server.SendAsync("GET", $"sandboxes/{id}/{path}");
        Assert.Equal("[]\n", answer.Text);
        await server.Server.DestroyAsync(id);
    }

    [Theory]
    [InlineData("mode", "0644", "0644")]
    [InlineData("mode", "644", "0644")]
    [InlineData("mode", "755", "0755")]
    [InlineData("mode", "0600", "0600")]
    public async Task A_mode_is_taken_with_and_without_the_zero_and_given_in_four_digits(string field, string given, string shown)
    {
        foreach (string provider in new[] { "bubblewrap", "mock" })
        {
            string id = await server.SharedSandboxAsync(provider);
            await server.DoneAsync("POST", $"sandboxes/{id}/files", $$"""{"path":"/workspace/{{given}}","content":"x","{{field}}":"{{given}}"}""");
            JsonElement file = await server.DoneAsync("GET", $"sandboxes/{id}/files/stat?path=/workspace/{given}");
            Assert.Equal(shown, file.GetProperty("mode").GetString());
        }
    }

    [Theory]
    [InlineData("{\"mode\":\"neither\",\"command\":\"true\"}", 400, "BAD_REQUEST")]
    [InlineData("{\"mode\":\"argv\"}", 400, "BAD_REQUEST")]
    [InlineData("{\"command\":\"true\",\"timeout\":\"soon\"}", 400, "BAD_REQUEST")]
    [InlineData("{\"command\":\"true\",\"timeout\":\"-1s\"}", 429, "RESOURCE_LIMIT")]
    [InlineData("{\"command\":\"true\",\"timeout\":\"1000h\"}", 429, "RESOURCE_LIMIT")]
    [InlineData("{\"command\":\"sleep 30\",\"timeout\":\"100ms\"}", 408, "TIMEOUT")]
    public async Task An_exec_is_refused_with_the_code_of_the_contract(string body, int status, string code)
    {
        foreach (string provider in new[] { "bubblewrap", "mock" })
            (await server.SendAsync("POST", $"sandboxes/{await server.SharedSandboxAsync(provider)}/exec", body)).IsError(status, code);
    }

    [Theory]
    [InlineData("{\"provider\":\"nothing\"}", 404, "NOT_FOUND")]
    [InlineData("{\"provider\":\"mock\",\"owner_id\":\"a/b\"}", 400, "BAD_REQUEST")]
    [InlineData("{\"provider\":\"mock\",\"owner_id\":\"a b\"}", 400, "BAD_REQUEST")]
    [InlineData("{\"provider\":\"mock\",\"memory_mb\":-1}", 400, "BAD_REQUEST")]
    [InlineData("{\"provider\":\"mock\",\"vcpus\":-1}", 400, "BAD_REQUEST")]
    [InlineData("{\"provider\":\"mock\",\"ttl\":\"1000000h\"}", 429, "RESOURCE_LIMIT")]
    public async Task A_spawn_is_refused_with_the_code_of_the_contract(string body, int status, string code) =>
        (await server.SendAsync("POST", "sandboxes", body)).IsError(status, code);

    private static JsonElement? At(JsonElement value, string field)
    {
        foreach (string step in field.Split('.'))
        {
            if (!value.TryGetProperty(step, out value))
                return null;
        }
        return value;
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        "text" => value.ValueKind == JsonValueKind.String && value.GetString()!.Length >= 0,
        "int" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "list" => value.ValueKind == JsonValueKind.Array,
        "texts" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String),
        "time" => value.ValueKind == JsonValueKind.String && Time().IsMatch(value.GetString()!) && DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _),
        "seconds" => Is(value, "time") && !value.GetString()!.Contains('.', StringComparison.Ordinal),
        "duration" => value.ValueKind == JsonValueKind.String && DurationTests.Written().IsMatch(value.GetString()!),
        _ => throw new InvalidOperationException($"no type {type}"),
    };

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{0,8}[1-9])?Z$")]
    private static partial Regex Time();
}
