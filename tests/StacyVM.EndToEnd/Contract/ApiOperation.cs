using System.Text.Json;

namespace StacyVM.EndToEnd.Contract;

/// <summary>One operation of the document: a method on a path.</summary>
internal sealed record ApiOperation(string Method, string Path, JsonElement Json)
{
    public string Name => $"{Method} {Path}";

    public string Id => Json.GetProperty("operationId").GetString()!;

    /// <summary>Null for routes that are open to all.</summary>
    public string? Scope => Json.TryGetProperty("x-scope", out JsonElement scope) ? scope.GetString() : null;

    public bool OfSandbox => Path.StartsWith("/sandboxes/{id}", StringComparison.Ordinal);

    /// <summary>It succeeds only beside a registry: <c>ImageTests</c> has a real one.</summary>
    public bool NeedsRegistry => Id is "pullImage";

    /// <summary>Neither ends by itself: they have tests of their own.</summary>
    public bool Endless => Id is "streamEvents" or "execOverWebSocket";

    public bool BodyRequired => Json.TryGetProperty("requestBody", out JsonElement body) && body.GetProperty("required").GetBoolean();

    /// <summary>The example of the JSON body, or null.</summary>
    public JsonElement? Body => JsonBody is { } body ? body.GetProperty("example") : null;

    public IEnumerable<JsonProperty> BodyFields =>
        JsonBody is { } body && BodySchema(body).TryGetProperty("properties", out JsonElement fields) ? fields.EnumerateObject() : [];

    public IEnumerable<string> RequiredBodyFields =>
        JsonBody is { } body && BodySchema(body).TryGetProperty("required", out JsonElement names) ? names.EnumerateArray().Select(name => name.GetString()!) : [];

    public IEnumerable<JsonElement> Parameters =>
        Json.TryGetProperty("parameters", out JsonElement parameters) ? parameters.EnumerateArray().Select(ApiDocument.Schemas.Resolve) : [];

    public IEnumerable<int> Statuses => Json.GetProperty("responses").EnumerateObject().Select(response => int.Parse(response.Name));

    /// <summary>The content types and schemas of an answer; none for an answer without a body.</summary>
    public IReadOnlyDictionary<string, JsonElement> Answer(int status)
    {
        JsonElement response = ApiDocument.Schemas.Resolve(Json.GetProperty("responses").GetProperty(status.ToString()));
        return response.TryGetProperty("content", out JsonElement content)
            ? content.EnumerateObject().ToDictionary(type => type.Name, type => type.Value.GetProperty("schema"))
            : new Dictionary<string, JsonElement>();
    }

    private JsonElement? JsonBody =>
        Json.TryGetProperty("requestBody", out JsonElement body) && body.GetProperty("content").TryGetProperty("application/json", out JsonElement content) ? content : null;

    private static JsonElement BodySchema(JsonElement content) => ApiDocument.Schemas.Resolve(content.GetProperty("schema"));
}
