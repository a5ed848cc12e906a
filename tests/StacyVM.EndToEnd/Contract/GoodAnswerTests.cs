using System.Text.Json;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>Every operation of the document answers right input as the document says, field by field, on a real level and on the one for tests.</summary>
[Collection(ContractServerCollection.Name)]
public sealed class GoodAnswerTests(ContractServer server)
{
    private const int Deepest = 3;

    [Fact]
    public async Task The_server_serves_the_committed_document()
    {
        ApiAnswer answer = await server.SendAsync("GET", "/swagger/doc.json");
        answer.IsCompactJson();
        Assert.True(JsonElement.DeepEquals(ApiDocument.Root, answer.Json), "docs/reference/openapi.json is not what this server says: run `make reference`");
    }

    public static IEnumerable<TheoryDataRow<string, string>> Operations() =>
        from operation in ApiDocument.Operations
        where !operation.Endless && !operation.NeedsRegistry
        from provider in Levels(operation)
        select new TheoryDataRow<string, string>(operation.Id, provider) { TestDisplayName = $"{operation.Name} on {provider} answers right input as documented" };

    [Theory, MemberData(nameof(Operations))]
    public async Task Right_input_is_answered_as_documented(string id, string provider)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        ApiAnswer answer = await server.GoodAnswerAsync(operation, provider);
        Assert.True(answer.Status is >= 200 and < 300, $"{answer.Status} {answer.Text}");
        Assert.Contains(answer.Status, operation.Statuses);
        if (operation.Method == "HEAD")
        {
            Assert.Empty(answer.Text);
            return;
        }
        IReadOnlyDictionary<string, JsonElement> contents = operation.Answer(answer.Status);
        string type = answer.ContentType!;
        Assert.Contains(type, contents.Keys);
        if (type == "application/json")
        {
            answer.IsCompactJson();
            Assert.Empty(ApiDocument.Schemas.Faults(contents[type], answer.Json));
        }
        else if (type == "application/x-ndjson")
        {
            foreach (string line in Lines(answer.Text))
            {
                ApiAnswer.IsCompactLine(line);
                Assert.Empty(ApiDocument.Schemas.Faults(contents[type], JsonDocument.Parse(line).RootElement));
            }
        }
    }

    public static IEnumerable<TheoryDataRow<string, string, string>> Fields() =>
        from operation in ApiDocument.Operations
        where !operation.Endless && !operation.NeedsRegistry && operation.Method != "HEAD"
        let schema = Good(operation)
        where schema is not null
        from field in FieldsOf(schema.Value, "", 0)
        from provider in Levels(operation)
        select new TheoryDataRow<string, string, string>(operation.Id, provider, field)
        {
            TestDisplayName = $"{operation.Name} on {provider} has a true {field}",
        };

    /// <summary>A required field is there in every object that could have it; any field has the type that the document gives it.</summary>
    [Theory, MemberData(nameof(Fields))]
    public async Task Each_field_is_there_and_of_its_type(string id, string provider, string field)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        ApiAnswer answer = await server.GoodAnswerAsync(operation, provider);
        JsonElement schema = Good(operation)!.Value;
        List<JsonElement> parents = [Parse(answer)];
        string[] steps = field.Split('.');
        for (int step = 0; step < steps.Length; step++)
        {
            if (steps[step] == "[]")
            {
                parents = [.. parents.SelectMany(parent => parent.EnumerateArray())];
                schema = Plain(schema).GetProperty("items");
                continue;
            }
            JsonElement whole = Plain(schema);
            schema = whole.GetProperty("properties").GetProperty(steps[step]);
            bool required = whole.TryGetProperty("required", out JsonElement names) && names.EnumerateArray().Any(name => name.GetString() == steps[step]);
            if (required)
                Assert.All(parents, parent => Assert.True(parent.TryGetProperty(steps[step], out _), $"{steps[step]} is missing in {parent}"));
            parents = [.. parents.Where(parent => parent.TryGetProperty(steps[step], out _)).Select(parent => parent.GetProperty(steps[step]))];
        }
        Assert.Empty(parents.SelectMany(value => ApiDocument.Schemas.Faults(schema, value, field)));
    }

    public static IEnumerable<TheoryDataRow<string>> Readings() =>
        from operation in ApiDocument.Operations
        where operation.Method == "GET" && !operation.Endless
        select new TheoryDataRow<string>(operation.Id) { TestDisplayName = $"{operation.Name}/ answers as without the slash" };

    [Theory, MemberData(nameof(Readings))]
    public async Task A_slash_at_the_end_changes_nothing(string id)
    {
        ApiOperation operation = ApiDocument.Operation(id);
        ApiAnswer with = await server.CallAsync(operation, "mock", suffix: "/");
        Assert.Equal((await server.GoodAnswerAsync(operation, "mock")).Status, with.Status);
    }

    private static IEnumerable<string> Levels(ApiOperation operation) => operation.OfSandbox || operation.Id is "spawnSandbox" or "spawnTemplate" ? ["bubblewrap", "mock"] : ["mock"];

    private static JsonElement? Good(ApiOperation operation)
    {
        foreach (int status in operation.Statuses.Where(status => status is 200 or 201).Order())
        {
            if (operation.Answer(status) is { Count: > 0 } contents && (contents.TryGetValue("application/json", out JsonElement schema) || contents.TryGetValue("application/x-ndjson", out schema)))
                return schema;
        }
        return null;
    }

    private static JsonElement Plain(JsonElement schema)
    {
        schema = ApiDocument.Schemas.Resolve(schema);
        return schema.TryGetProperty("allOf", out JsonElement all) ? ApiDocument.Schemas.Resolve(all[0]) : schema;
    }

    private static IEnumerable<string> FieldsOf(JsonElement schema, string at, int depth)
    {
        schema = Plain(schema);
        if (depth > Deepest)
            yield break;
        if (schema.TryGetProperty("items", out JsonElement items))
        {
            foreach (string field in FieldsOf(items, at + "[].", depth + 1))
                yield return field;
        }
        if (!schema.TryGetProperty("properties", out JsonElement properties))
            yield break;
        foreach (JsonProperty property in properties.EnumerateObject())
        {
            yield return at + property.Name;
            foreach (string field in FieldsOf(property.Value, $"{at}{property.Name}.", depth + 1))
                yield return field;
        }
    }

    private static JsonElement Parse(ApiAnswer answer) =>
        answer.ContentType == "application/x-ndjson" ? JsonDocument.Parse(Lines(answer.Text).Last()).RootElement : answer.Json;

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line + "\n");
}
