using System.Text.Json.Nodes;
using StacyVM.Server.Security;

namespace StacyVM.Server.OpenApi;

/// <summary>The ways to present a key, as the document names them.</summary>
internal static class SecuritySchemes
{
    private const string ClientKey = "ClientKey";
    private const string AdminKey = "AdminKey";
    private const string Bearer = "Bearer";
    private const string Ticket = "Ticket";

    public static IEnumerable<string> Names(bool tickets) => tickets ? [ClientKey, AdminKey, Bearer, Ticket] : [ClientKey, AdminKey, Bearer];

    public static JsonObject Json => new()
    {
        [ClientKey] = InHeader(PresentedKeys.ClientHeader, "The client key. The admin key is taken here, too."),
        [AdminKey] = InHeader(PresentedKeys.AdminHeader, "The admin key, for everything; looked at before the client key."),
        [Bearer] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "Either key as a bearer token." },
        [Ticket] = new JsonObject
        {
            ["type"] = "apiKey",
            ["in"] = "query",
            ["name"] = "ticket",
            ["description"] = "A one-time ticket of `POST /tickets`, for WebSockets and event streams of browsers, which cannot set headers.",
        },
    };

    public static JsonObject UserParameter => new()
    {
        ["name"] = PresentedKeys.UserHeader,
        ["in"] = "header",
        ["description"] = "Who the caller acts for: owner of what is made, actor in the audit. At most 128 bytes without slash, white space or control character.",
        ["required"] = false,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };

    private static JsonObject InHeader(string name, string meaning) =>
        new() { ["type"] = "apiKey", ["in"] = "header", ["name"] = name, ["description"] = meaning };
}
