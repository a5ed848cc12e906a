namespace StacyVM.Server.Security;

/// <summary>What a caller may do. Every route names one of these.</summary>
internal static class Scopes
{
    public const string Read = "read:*";
    public const string Api = "api:*";
    public const string Operator = "operator:*";
    public const string Admin = "admin:*";

    /// <summary>Of monitoring that presents the scrape token, on the routes that take it.</summary>
    public const string ScrapeRole = "scrape";

    /// <summary>The role of everyone where no key is needed.</summary>
    public const string Anonymous = "anonymous";

    private static readonly IReadOnlyList<string> All = [Read, Api, Operator, Admin];

    /// <summary>The scopes of a role. <c>anonymous</c> exists only where the server is open, and there it may do everything.</summary>
    public static IReadOnlyList<string> Of(string role) => role switch
    {
        "viewer" or ScrapeRole => [Read],
        "api" => [Read, Api],
        "operator" => [Read, Api, Operator],
        "admin" or Anonymous => All,
        _ => [],
    };
}
