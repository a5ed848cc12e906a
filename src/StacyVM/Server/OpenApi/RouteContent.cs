using System.Text.Json.Serialization.Metadata;

namespace StacyVM.Server.OpenApi;

/// <summary>A body, of a request or of an answer.</summary>
/// <param name="Status">HTTP status; 0 for a request.</param>
/// <param name="ContentType">Its media type; empty for an answer without a body.</param>
/// <param name="Type">The type of the value, or of one line or event; null for bytes and texts.</param>
/// <param name="Example">As on the wire.</param>
/// <param name="Meaning">A sentence, where the type does not say it.</param>
internal sealed record RouteContent(int Status, string ContentType, JsonTypeInfo? Type, string? Example, string? Meaning = null)
{
    /// <summary>Fields that the route refuses to do without although their type lets them be absent.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>A request may come without it.</summary>
    public bool Optional { get; init; }
}
