using System.Text.Json.Nodes;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Security;

namespace StacyVM.Server.OpenApi;

/// <summary>The error responses of the document. Problems of one status are one response, since OpenAPI tells responses apart by status only.</summary>
internal sealed class ProblemCatalog
{
    private readonly SortedDictionary<string, JsonObject> _responses = new(StringComparer.Ordinal);

    public JsonObject Responses => new(_responses.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value.DeepClone())));

    /// <summary>The closed table: every code there is.</summary>
    public static JsonArray Table => new([.. Problem.Table.Select(row => (JsonNode)new JsonObject
    {
        ["kind"] = row.Kind.ToString(),
        ["status"] = row.Status,
        ["code"] = row.Code,
        ["exit_code"] = row.ExitCode,
        ["meaning"] = row.Meaning,
    })]);

    /// <summary>The problems of a route, by status: its own, and those that follow from its scope, body and path.</summary>
    public IEnumerable<(int Status, string Response)> Of(RouteDescription description, RouteAccess? access, string path)
    {
        IEnumerable<ProblemKind> kinds = [.. description.Problems, .. Implied(description, access, path)];
        return kinds.Distinct().Order().GroupBy(kind => Problem.Of(kind).Status).OrderBy(group => group.Key)
            .Select(group => (group.Key, Response([.. group])));
    }

    private static IEnumerable<ProblemKind> Implied(RouteDescription description, RouteAccess? access, string path)
    {
        yield return ProblemKind.MisdirectedRequest;
        yield return ProblemKind.Forbidden;
        yield return ProblemKind.Internal;
        if (access is { Scope: not null })
        {
            yield return ProblemKind.Unauthorized;
            yield return ProblemKind.InvalidInput;
            yield return ProblemKind.RateLimited;
        }
        if (description.Body is { Type: not null })
            yield return ProblemKind.PayloadTooLarge;
        if (path.StartsWith("/sandboxes/{id}", StringComparison.Ordinal))
            yield return ProblemKind.SandboxNotFound;
    }

    private string Response(ProblemKind[] kinds)
    {
        string name = string.Join("Or", kinds);
        if (_responses.ContainsKey(name))
            return name;
        var examples = new JsonObject();
        foreach (ProblemKind kind in kinds)
        {
            examples[kind.ToString()] = new JsonObject
            {
                ["summary"] = Problem.Of(kind).Meaning,
                ["value"] = new JsonObject { ["code"] = Problem.Of(kind).Code, ["message"] = ProblemExample.Message(kind) },
            };
        }
        var response = _responses[name] = new JsonObject
        {
            ["description"] = string.Join(' ', kinds.Select(kind => $"`{Problem.Of(kind).Code}`: {Problem.Of(kind).Meaning}")),
        };
        if (kinds.Contains(ProblemKind.RateLimited))
        {
            response["headers"] = new JsonObject
            {
                ["Retry-After"] = new JsonObject
                {
                    ["description"] = "Seconds until the next try, when the rate limit is what was reached.",
                    ["schema"] = new JsonObject { ["type"] = "integer" },
                },
            };
        }
        response["content"] = new JsonObject
        {
            ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/ErrorBody" }, ["examples"] = examples },
        };
        return name;
    }
}
