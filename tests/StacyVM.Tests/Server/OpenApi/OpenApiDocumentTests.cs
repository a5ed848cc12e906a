using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using StacyVM.Protocol.Problems;
using StacyVM.Server.OpenApi;
using Xunit;

namespace StacyVM.Tests.Server.OpenApi;

/// <summary>The document is complete: every route, parameter, field, code and example.</summary>
public sealed class OpenApiDocumentTests : IAsyncLifetime
{
    private static readonly string[] Methods = ["get", "head", "post", "put", "patch", "delete"];

    private RunningServer _server = null!;
    private JsonElement _document;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.StartAsync();
        (int status, _document) = await _server.SendAsync(HttpMethod.Get, "/swagger/doc.json");
        Assert.Equal(200, status);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void Every_route_and_method_is_in_it()
    {
        HashSet<string> described = [.. Operations().Select(operation => operation.Name)];
        IEnumerable<string> missing =
            from route in _server.Server.Endpoints.OfType<RouteEndpoint>()
            let path = RoutePath.Of(route)
            where path.StartsWith("/api/v1/", StringComparison.Ordinal)
            from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
            let name = $"{method} {path["/api/v1".Length..]}"
            where !described.Contains(name)
            select name;

        Assert.Empty(missing);
        Assert.True(described.Count >= 35, $"only {described.Count} operations");
    }

    [Fact]
    public void Every_operation_has_a_name_of_its_own_a_summary_and_a_chapter()
    {
        Assert.Empty(Operations().GroupBy(operation => Text(operation.Json, "operationId")).Where(group => group.Count() > 1 || group.Key.Length == 0).Select(group => group.Key));
        Assert.Empty(Operations().Where(operation => Text(operation.Json, "summary").Length == 0).Select(operation => operation.Name));
        HashSet<string> chapters = [.. _document.GetProperty("tags").EnumerateArray().Select(tag => Text(tag, "name"))];
        Assert.All(Operations(), operation => Assert.Contains(operation.Json.GetProperty("tags")[0].GetString()!, chapters));
    }

    [Fact]
    public void Every_parameter_says_what_it_means()
    {
        IEnumerable<string> silent =
            from operation in Operations()
            where operation.Json.TryGetProperty("parameters", out _)
            from parameter in operation.Json.GetProperty("parameters").EnumerateArray().Select(Check.Resolve)
            where Text(parameter, "description").Length == 0
            select $"{operation.Name}: {Text(parameter, "name")} (add .Path(…) or .Query(…) to the route's description)";

        Assert.Empty(silent);
    }

    [Fact]
    public void Every_type_and_field_says_what_it_means()
    {
        IEnumerable<string> silent =
            from schema in _document.GetProperty("components").GetProperty("schemas").EnumerateObject()
            from text in new[] { (Name: schema.Name, Json: schema.Value) }.Concat(
                schema.Value.GetProperty("properties").EnumerateObject().Select(field => (Name: $"{schema.Name}.{field.Name}", Json: field.Value)))
            where Text(text.Json, "description").Length == 0
            select $"{text.Name} (add a doc comment to the type in StacyVM.Protocol/Rest)";

        Assert.Empty(silent);
    }

    [Fact]
    public void Every_body_has_an_example()
    {
        IEnumerable<string> without =
            from content in Contents()
            where content.Type != "application/octet-stream"
            where !content.Json.TryGetProperty("example", out _) && !content.Json.TryGetProperty("examples", out _)
            select content.Name;

        Assert.Empty(without);
    }

    [Fact]
    public void Every_example_is_what_its_schema_says()
    {
        IEnumerable<string> faults =
            from content in Contents()
            from example in Examples(content.Json)
            from fault in Check.Faults(content.Json.GetProperty("schema"), example)
            select $"{content.Name}: {fault}";

        Assert.Empty(faults);
    }

    [Fact]
    public void Every_problem_is_in_it_with_its_code()
    {
        Assert.Equal(
            Problem.Table.Select(row => $"{row.Kind} {row.Status} {row.Code}"),
            _document.GetProperty("x-problems").EnumerateArray().Select(row => $"{Text(row, "kind")} {row.GetProperty("status")} {Text(row, "code")}"));
        IEnumerable<string> codes = _document.GetProperty("components").GetProperty("schemas").GetProperty("ErrorBody").GetProperty("properties")
            .GetProperty("code").GetProperty("enum").EnumerateArray().Select(code => code.GetString()!);
        Assert.Equal(Problem.Table.Select(row => row.Code).Distinct(), codes);
    }

    [Fact]
    public void Every_reference_leads_somewhere()
    {
        foreach (JsonElement reference in References(_document))
            Assert.NotEqual(JsonValueKind.Undefined, Check.Resolve(reference).ValueKind);
    }

    private SchemaCheck Check => new(_document);

    private IEnumerable<(string Name, JsonElement Json)> Operations() =>
        from path in _document.GetProperty("paths").EnumerateObject()
        from method in path.Value.EnumerateObject()
        where Methods.Contains(method.Name)
        select ($"{method.Name.ToUpperInvariant()} {path.Name}", method.Value);

    private IEnumerable<(string Name, string Type, JsonElement Json)> Contents() =>
        from operation in Operations()
        from body in Bodies(operation.Json)
        from content in body.Json.GetProperty("content").EnumerateObject()
        select ($"{operation.Name} {body.Name} {content.Name}", content.Name, content.Value);

    private IEnumerable<(string Name, JsonElement Json)> Bodies(JsonElement operation)
    {
        if (operation.TryGetProperty("requestBody", out JsonElement body))
            yield return ("request", body);
        foreach (JsonProperty response in operation.GetProperty("responses").EnumerateObject())
        {
            if (Check.Resolve(response.Value) is var json && json.TryGetProperty("content", out _))
                yield return (response.Name, json);
        }
    }

    private static IEnumerable<JsonElement> Examples(JsonElement content)
    {
        if (content.TryGetProperty("example", out JsonElement one))
            yield return one;
        if (content.TryGetProperty("examples", out JsonElement several))
        {
            foreach (JsonProperty example in several.EnumerateObject())
                yield return example.Value.GetProperty("value");
        }
    }

    private static IEnumerable<JsonElement> References(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Object when node.TryGetProperty("$ref", out JsonElement reference) && reference.ValueKind == JsonValueKind.String => [node],
        JsonValueKind.Object => node.EnumerateObject().SelectMany(field => References(field.Value)),
        JsonValueKind.Array => node.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static string Text(JsonElement json, string field) => json.TryGetProperty(field, out JsonElement text) ? text.GetString() ?? "" : "";
}
