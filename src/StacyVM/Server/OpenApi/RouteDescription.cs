using System.Text.Json.Serialization.Metadata;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server.OpenApi;

/// <summary>
/// What a route is for, takes and answers: metadata that stands beside the mapping and that the OpenAPI document is made of. What follows from
/// the route itself is not repeated here: its path, method and scope, the problems of its scope, of a body and of a sandbox id in the path.
/// Examples are JSON as on the wire; a test holds them against the types.
/// </summary>
/// <param name="name">Unique name of the operation, for generated clients: <c>spawnSandbox</c>. Routes below <c>/admin</c> get a prefix by themselves.</param>
/// <param name="summary">A few words: <c>Spawn a sandbox</c>.</param>
/// <param name="details">What a caller has to know beyond the types, in Markdown.</param>
internal sealed class RouteDescription(string name, string summary, string? details = null)
{
    private readonly List<RouteParameter> _parameters = [];
    private readonly List<RouteContent> _answers = [];
    private readonly List<ProblemKind> _problems = [];

    public string Name => name;

    public string Summary => summary;

    public string? Details => details;

    public RouteContent? Body { get; private set; }

    public IReadOnlyList<RouteParameter> Parameters => _parameters;

    public IReadOnlyList<RouteContent> Answers => _answers;

    public IReadOnlyList<ProblemKind> Problems => _problems;

    /// <summary>A JSON body. <paramref name="required"/> names the fields that the route refuses to do without.</summary>
    public RouteDescription Takes(JsonTypeInfo type, string example, params string[] required)
    {
        Body = new RouteContent(0, "application/json", type, example) { Required = required };
        return this;
    }

    /// <summary>A JSON body that may be absent.</summary>
    public RouteDescription MayTake(JsonTypeInfo type, string example)
    {
        Body = new RouteContent(0, "application/json", type, example) { Optional = true };
        return this;
    }

    /// <summary>A body of raw bytes.</summary>
    public RouteDescription TakesBytes(string meaning)
    {
        Body = new RouteContent(0, "application/octet-stream", null, null, meaning);
        return this;
    }

    /// <summary>A parameter in the path. Those that mean the same everywhere, such as a sandbox id, need not be named.</summary>
    public RouteDescription Path(string parameter, string meaning, string example) =>
        With(new RouteParameter(parameter, "path", meaning, "string", Required: true, example));

    /// <param name="parameter">Its name.</param>
    /// <param name="meaning">A sentence, with its default.</param>
    /// <param name="type"><c>string</c>, <c>integer</c> or <c>boolean</c>.</param>
    /// <param name="required">Whether the route refuses to do without it.</param>
    /// <param name="example">As it stands in the address, unescaped.</param>
    public RouteDescription Query(string parameter, string meaning, string type = "string", bool required = false, string? example = null) =>
        With(new RouteParameter(parameter, "query", meaning, type, required, example));

    /// <summary>A request header beyond those that every route knows.</summary>
    public RouteDescription Header(string parameter, string meaning, string? example = null) =>
        With(new RouteParameter(parameter, "header", meaning, "string", Required: false, example));

    /// <summary>A JSON answer.</summary>
    public RouteDescription AnswersWith(int status, JsonTypeInfo type, string example, string? meaning = null) =>
        With(new RouteContent(status, "application/json", type, example, meaning));

    /// <summary>An answer that is not one JSON value: lines, events, bytes, text. <paramref name="type"/> is that of one line or event.</summary>
    public RouteDescription AnswersWith(int status, string contentType, string meaning, JsonTypeInfo? type = null, string? example = null) =>
        With(new RouteContent(status, contentType, type, example, meaning));

    /// <summary>Problems that are this route's own.</summary>
    public RouteDescription Fails(params ProblemKind[] problems)
    {
        _problems.AddRange(problems);
        return this;
    }

    private RouteDescription With(RouteParameter parameter)
    {
        _parameters.Add(parameter);
        return this;
    }

    private RouteDescription With(RouteContent answer)
    {
        _answers.Add(answer);
        return this;
    }
}

internal static class RouteDescriptionExtensions
{
    /// <summary>Describes a route; every route below <c>/api</c> has to.</summary>
    public static TBuilder Describe<TBuilder>(this TBuilder route, RouteDescription description)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(description);
}
