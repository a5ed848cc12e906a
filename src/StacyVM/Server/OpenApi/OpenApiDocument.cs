using System.Text.Json.Nodes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Security;

namespace StacyVM.Server.OpenApi;

/// <summary>
/// The OpenAPI document of a server, made of its routes: 1 every described route below the base path becomes an operation, 2 the types they
/// use become schemas, 3 the problems they raise become responses.
/// </summary>
internal sealed class OpenApiDocument
{
    /// <summary>The version that all generators of clients read.</summary>
    private const string Version = "3.0.3";

    private const string Prefix = "/api/v1";

    private readonly SchemaCatalog _schemas = new(TypeTexts.Load());
    private readonly ProblemCatalog _problems = new();
    private readonly SortedDictionary<string, JsonObject> _paths = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _tags = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    private OpenApiDocument()
    {
    }

    public static JsonObject Of(IEnumerable<Endpoint> endpoints)
    {
        var document = new OpenApiDocument();
        var operations =
            from route in endpoints.OfType<RouteEndpoint>()
            let path = RoutePath.Of(route)
            where path.StartsWith(Prefix + "/", StringComparison.Ordinal) && route.Metadata.GetMetadata<RouteDescription>() is not null
            from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
            orderby path, MethodOrder(method)
            select (Route: route, Path: path[Prefix.Length..], Method: method);
        foreach ((RouteEndpoint route, string path, string method) in operations)
            document.Add(route, path, method);
        return document.Write();
    }

    private static int MethodOrder(string method) => Array.IndexOf(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], method);

    private void Add(RouteEndpoint route, string path, string method)
    {
        RouteDescription description = route.Metadata.GetRequiredMetadata<RouteDescription>();
        RouteAccess? access = route.Metadata.GetMetadata<RouteAccess>();
        string tag = RoutePath.Tag(path);
        _tags.Add(tag);
        var operation = new JsonObject
        {
            ["operationId"] = UniqueName(description, path, method),
            ["tags"] = new JsonArray(tag),
            ["summary"] = description.Summary,
            ["description"] = Details(description, access),
            ["security"] = Security(access),
        };
        if (access is { Scope: { } scope })
            operation["x-scope"] = scope;
        if (Parameters(description, access, path) is { Count: > 0 } parameters)
            operation["parameters"] = parameters;
        if (description.Body is { } body)
            operation["requestBody"] = Body(body);
        operation["responses"] = Responses(description, access, path, method);
        if (!_paths.TryGetValue(path, out JsonObject? item))
            _paths[path] = item = [];
        item[method.ToLowerInvariant()] = operation;
    }

    /// <summary>One description may serve several routes: aliases below <c>/admin</c>, HEAD beside GET.</summary>
    private string UniqueName(RouteDescription description, string path, string method)
    {
        string name = description.Name;
        if (method == "HEAD")
            name = "head" + RoutePath.Capital(name);
        if (path.StartsWith("/admin/", StringComparison.Ordinal) && !name.StartsWith("admin", StringComparison.Ordinal))
            name = "admin" + RoutePath.Capital(name);
        if (!_names.Add(name))
            _names.Add(name += "At" + RoutePath.Words(path));
        return name;
    }

    private static string Details(RouteDescription description, RouteAccess? access)
    {
        string needs = access switch
        {
            { Scope: { } scope, TakesTicket: true } => $"Needs the scope `{scope}`, or a ticket in the query.",
            { Scope: { } scope } => $"Needs the scope `{scope}`.",
            _ => "Open to everyone; without a key, where one is needed, the answer is shorter.",
        };
        return description.Details is { } details ? $"{details}\n\n{needs}" : needs;
    }

    private static JsonArray Security(RouteAccess? access)
    {
        var ways = new JsonArray();
        if (access is not { Scope: not null })
            ways.Add((JsonNode)new JsonObject());
        foreach (string scheme in SecuritySchemes.Names(access is { TakesTicket: true }))
            ways.Add((JsonNode)new JsonObject { [scheme] = new JsonArray() });
        return ways;
    }

    private static JsonArray Parameters(RouteDescription description, RouteAccess? access, string path)
    {
        var parameters = new JsonArray();
        foreach (string name in RoutePath.Parameters(path))
            parameters.Add((JsonNode)Parameter(description.Parameters.FirstOrDefault(given => given.In == "path" && given.Name == name) ?? RoutePath.Known(path, name)));
        foreach (RouteParameter given in description.Parameters.Where(given => given.In != "path"))
            parameters.Add((JsonNode)Parameter(given));
        if (access is { Scope: not null })
            parameters.Add((JsonNode)new JsonObject { ["$ref"] = "#/components/parameters/UserId" });
        return parameters;
    }

    private static JsonObject Parameter(RouteParameter parameter)
    {
        var json = new JsonObject
        {
            ["name"] = parameter.Name,
            ["in"] = parameter.In,
            ["description"] = parameter is { Required: false, Example: { } such } ? $"{parameter.Meaning} For example `{such}`." : parameter.Meaning,
            ["required"] = parameter.Required,
            ["schema"] = new JsonObject { ["type"] = parameter.Type },
        };
        // The page fills examples in, which for an optional parameter would ask for something nobody asked for.
        if (parameter is { Required: true, Example: { } example })
            json["example"] = parameter.Type == "string" ? example : JsonNode.Parse(example);
        return json;
    }

    private JsonObject Body(RouteContent body)
    {
        if (body.Type is { } type)
            _schemas.Require(type, body.Required);
        var json = new JsonObject { ["required"] = !body.Optional, ["content"] = new JsonObject { [body.ContentType] = Content(body) } };
        if (body.Meaning is { } meaning)
            json["description"] = meaning;
        return json;
    }

    private JsonObject Content(RouteContent content)
    {
        bool bytes = content.ContentType == "application/octet-stream";
        JsonObject schema = content.Type is { } type ? _schemas.Of(type)
            : bytes ? new JsonObject { ["type"] = "string", ["format"] = "binary" }
            : new JsonObject { ["type"] = "string" };
        var json = new JsonObject { ["schema"] = schema };
        if (content.Example is { } example)
            json["example"] = content.Type is null ? example : JsonNode.Parse(example);
        return json;
    }

    private JsonObject Responses(RouteDescription description, RouteAccess? access, string path, string method)
    {
        var responses = new JsonObject();
        foreach (var sameStatus in description.Answers.GroupBy(answer => answer.Status).OrderBy(group => group.Key))
        {
            string meaning = string.Join(' ', sameStatus.Select(answer => answer.Meaning).OfType<string>());
            var response = new JsonObject { ["description"] = meaning.Length > 0 ? meaning : sameStatus.Key == 201 ? "Made." : "Done." };
            if (method != "HEAD" && sameStatus.Any(answer => answer.ContentType.Length > 0))
            {
                response["content"] = new JsonObject(
                    sameStatus.Where(answer => answer.ContentType.Length > 0).Select(answer => KeyValuePair.Create(answer.ContentType, (JsonNode?)Content(answer))));
            }
            responses[sameStatus.Key.ToString()] = response;
        }
        foreach ((int status, string name) in _problems.Of(description, access, path))
        {
            if (!responses.ContainsKey(status.ToString()))
                responses[status.ToString()] = new JsonObject { ["$ref"] = $"#/components/responses/{name}" };
        }
        return responses;
    }

    private JsonObject Write()
    {
        _schemas.Of(RestJson.Default.ErrorBody);
        _schemas.Of(RestJson.Default.ExecSocketMessage);
        return new JsonObject
        {
            ["openapi"] = Version,
            ["info"] = new JsonObject
            {
                ["title"] = "StacyVM",
                ["version"] = ServerVersion.Text,
                ["description"] = OpenApiPreface.Text,
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["url"] = "https://www.apache.org/licenses/LICENSE-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = Prefix, ["description"] = "The server that this document comes from." }),
            ["tags"] = new JsonArray([.. _tags.Select(tag => (JsonNode)new JsonObject { ["name"] = tag, ["description"] = RoutePath.TagMeaning(tag) })]),
            ["paths"] = new JsonObject(_paths.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["components"] = new JsonObject
            {
                ["schemas"] = _schemas.Objects,
                ["responses"] = _problems.Responses,
                ["parameters"] = new JsonObject { ["UserId"] = SecuritySchemes.UserParameter },
                ["securitySchemes"] = SecuritySchemes.Json,
            },
            ["x-problems"] = ProblemCatalog.Table,
        };
    }
}
