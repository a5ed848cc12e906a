namespace StacyVM.Server.OpenApi;

/// <summary>A parameter in a route's path or query.</summary>
/// <param name="Name">As on the wire.</param>
/// <param name="In"><c>path</c>, <c>query</c> or <c>header</c>.</param>
/// <param name="Meaning">A sentence.</param>
/// <param name="Type"><c>string</c>, <c>integer</c> or <c>boolean</c>.</param>
/// <param name="Required">Whether the route refuses to do without it.</param>
/// <param name="Example">As it stands in the address, unescaped.</param>
internal sealed record RouteParameter(string Name, string In, string Meaning, string Type, bool Required, string? Example);
