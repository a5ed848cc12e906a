using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>Every operation of the document refuses wrong input with the error envelope, and overlooks what it has to overlook.</summary>
[Collection(ContractServerCollection.Name)]
public sealed class WrongInputTests(ContractServer server)
{
    private static IEnumerable<ApiOperation> WithBody => ApiDocument.Operations.Where(operation => operation.Body is not null);

    public static IEnumerable<TheoryDataRow<string, string>> Malformed() =>
        from operation in WithBody
        where operation.BodyRequired
        from body in new[] { "", "{", "[]", "\"text\"", "{\"a\":}", "nonsense" }
        select new TheoryDataRow<string, string>(operation.Id, body)
        {
            TestDisplayName = $"{operation.Name} refuses the body {(body.Length == 0 ? "that is empty" : body)}",
        };

    [Theory, MemberData(nameof(Malformed))]
    public async Task A_malformed_body_is_a_bad_request(string id, string body)
    {
        ApiAnswer answer = await SendAsync(ApiDocument.Operation(id), body);
        answer.IsError(400, "BAD_REQUEST");
        Assert.StartsWith("invalid request body", answer.Json.GetProperty("message").GetString());
    }

    public static IEnumerable<TheoryDataRow<string, string, string>> WrongTypes() =>
        from operation in WithBody
        where operation.BodyRequired
        from field in operation.BodyFields
        let wrong = Wrong(field.Value)
        where wrong is not null
        select new TheoryDataRow<string, string, string>(operation.Id, field.Name, wrong)
        {
            TestDisplayName = $"{operation.Name} refuses {wrong} as {field.Name} and says so",
        };

    [Theory, MemberData(nameof(WrongTypes))]
    public async Task A_field_of_the_wrong_type_is_a_bad_request_that_names_it(string id, string field, string wrong)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        JsonObject body = Example(operation);
        body[field] = JsonNode.Parse(wrong);
        ApiAnswer answer = await SendAsync(operation, body.ToJsonString());
        answer.IsError(400, "BAD_REQUEST");
        Assert.Contains(field, answer.Json.GetProperty("message").GetString()!, StringComparison.Ordinal);
    }

    public static IEnumerable<TheoryDataRow<string, string>> RequiredFields() =>
        from operation in WithBody
        from field in operation.RequiredBodyFields
        select new TheoryDataRow<string, string>(operation.Id, field) { TestDisplayName = $"{operation.Name} cannot do without {field}" };

    [Theory, MemberData(nameof(RequiredFields))]
    public async Task A_missing_field_is_a_bad_request_that_names_it(string id, string field)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        JsonObject body = Example(operation);
        body.Remove(field);
        ApiAnswer answer = await SendAsync(operation, body.ToJsonString());
        answer.IsError(400, "BAD_REQUEST");
        Assert.Contains(field, answer.Json.GetProperty("message").GetString()!, StringComparison.Ordinal);
    }

    public static IEnumerable<TheoryDataRow<string, string>> RequiredParameters() =>
        from operation in ApiDocument.Operations
        where operation.Method != "HEAD"
        from parameter in operation.Parameters
        where parameter.GetProperty("in").GetString() == "query" && parameter.GetProperty("required").GetBoolean()
        let name = parameter.GetProperty("name").GetString()
        select new TheoryDataRow<string, string>(operation.Id, name) { TestDisplayName = $"{operation.Name} cannot do without the query parameter {name}" };

    [Theory, MemberData(nameof(RequiredParameters))]
    public async Task A_missing_query_parameter_is_a_bad_request_that_names_it(string id, string name)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        foreach (string? given in new[] { null, "", "  " })
        {
            var call = new ContractCall(operation, "mock");
            await FillAsync(call);
            call.Query.Remove(name);
            if (given is not null)
                call.Query[name] = given;
            ApiAnswer answer = await server.SendAsync(call.Request());
            answer.IsError(400, "BAD_REQUEST");
            Assert.Equal($"{name} query parameter required", answer.Json.GetProperty("message").GetString());
        }
    }

    public static IEnumerable<TheoryDataRow<string, string>> Leniences() =>
        from operation in WithBody
        where operation.BodyFields.Any() // where the keys themselves are the values, as in PATCH /config, none is overlooked
        from lenience in new[] { "keys in capitals", "a key that it does not know", "bytes behind the first value", "another content type" }
        select new TheoryDataRow<string, string>(operation.Id, lenience) { TestDisplayName = $"{operation.Name} overlooks {lenience}" };

    [Theory, MemberData(nameof(Leniences))]
    public async Task What_has_to_be_overlooked_is(string id, string lenience)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        ApiAnswer good = await server.GoodAnswerAsync(operation, "mock");
        ApiAnswer answer = await server.CallAsync(operation, "mock", call => call.Body = Bend(call.Body!, lenience));
        Assert.True(good.Status == answer.Status, $"{answer.Status} {answer.Text}");
        if (good.ContentType == "application/json" && good.Json.ValueKind == JsonValueKind.Object)
            Assert.Equal(good.Json.EnumerateObject().Select(field => field.Name), answer.Json.EnumerateObject().Select(field => field.Name));
    }

    public static IEnumerable<TheoryDataRow<string>> OfSandboxes() =>
        from operation in ApiDocument.Operations
        where operation.OfSandbox && operation.Id is not ("destroySandbox" or "execOverWebSocket") && operation.Method != "HEAD"
        select new TheoryDataRow<string>(operation.Id) { TestDisplayName = $"{operation.Name} does not find a sandbox that is not there" };

    [Theory, MemberData(nameof(OfSandboxes))]
    public async Task An_unknown_sandbox_is_not_found(string id)
    {
        foreach (string unknown in new[] { "sb-0123456789abcdef", "nothing", "..", "a b" })
        {
            var call = new ContractCall(ApiDocument.Operation(id), "mock");
            call.Route["id"] = unknown == ".." ? "%2e%2e" : unknown;
            (await server.SendAsync(call.Request())).IsError(404, "NOT_FOUND");
        }
    }

    public static IEnumerable<TheoryDataRow<string>> Paths() =>
        from path in ApiDocument.Operations.Select(operation => operation.Path).Distinct()
        select new TheoryDataRow<string>(path) { TestDisplayName = $"{path} refuses a method that it does not take, and names those that it does" };

    [Theory, MemberData(nameof(Paths))]
    public async Task A_wrong_method_is_told_the_right_ones(string path)
    {
        string[] segments = path.Split('/');
        string[] taken = [.. ApiDocument.Operations.Where(operation => Overlaps(operation.Path.Split('/'), segments)).Select(operation => operation.Method)];
        string wrong = new[] { "PATCH", "PUT", "DELETE", "POST" }.First(method => !taken.Contains(method));
        var call = new ContractCall(ApiDocument.Operations.First(operation => operation.Path == path) with { Method = wrong }, "mock") { Body = null };
        call.Query.Clear();
        ApiAnswer answer = await server.SendAsync(call.Request());
        answer.IsError(405, "BAD_REQUEST");
        Assert.Equal(taken.Distinct().Order(), answer.Message.Content.Headers.Allow.Order());
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("sandboxes/sb-1/nothing")]
    [InlineData("sandboxes/sb-1/exec/")]
    [InlineData("/nothing")]
    [InlineData("/api/v2/sandboxes")]
    public async Task An_unknown_path_is_not_found(string path)
    {
        ApiAnswer answer = await server.SendAsync("GET", path);
        Assert.True(answer.Status is 404 or 405, $"{answer.Status} {answer.Text}");
        answer.IsError(answer.Status, answer.Status == 404 ? "NOT_FOUND" : "BAD_REQUEST");
    }

    private async Task<ApiAnswer> SendAsync(ApiOperation operation, string body)
    {
        var call = new ContractCall(operation, "mock") { Body = body };
        await FillAsync(call);
        return await server.SendAsync(call.Request());
    }

    private async Task FillAsync(ContractCall call)
    {
        if (call.Operation.OfSandbox)
            call.Route["id"] = await server.SharedSandboxAsync("mock");
    }

    private static JsonObject Example(ApiOperation operation) => JsonNode.Parse(operation.Body!.Value.GetRawText())!.AsObject();

    private static string Bend(string body, string lenience) => lenience switch
    {
        "keys in capitals" => new JsonObject(JsonNode.Parse(body)!.AsObject().Select(
            field => KeyValuePair.Create(field.Key.ToUpperInvariant(), field.Value?.DeepClone()))).ToJsonString(),
        "a key that it does not know" => "{\"x_unknown\":[1,{\"deep\":null}]," + body.TrimStart()[1..],
        "bytes behind the first value" => body + " }{ and more",
        _ => body,
    };

    private static string? Wrong(JsonElement schema) => !schema.TryGetProperty("type", out JsonElement type) ? null : type.GetString() switch
    {
        "string" => "5",
        "integer" or "number" => "\"five\"",
        "boolean" => "\"true\"",
        "array" => "\"one\"",
        _ => "[1]",
    };

    private static bool Overlaps(string[] template, string[] path) =>
        template.Length == path.Length && template.Zip(path).All(pair => pair.First == pair.Second || pair.First.StartsWith('{'));
}
