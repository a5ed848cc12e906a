namespace StacyVM.Server.Security;

/// <summary>The headers in which a key may come, in the order in which they are tried.</summary>
internal static class PresentedKeys
{
    public const string AdminHeader = "X-Admin-API-Key";
    public const string ClientHeader = "X-API-Key";
    public const string UserHeader = "X-User-ID";
    public const string TenantHeader = "X-Tenant-ID";

    /// <summary>All headers in which a key may come.</summary>
    public static readonly IReadOnlyList<string> Headers = [AdminHeader, ClientHeader, BearerHeader];

    private const string BearerHeader = "Authorization";
    private const string BearerScheme = "Bearer ";

    /// <summary>Longer texts are no key of ours and are not worth hashing.</summary>
    private const int MaxLength = 1024;

    public static IEnumerable<(string Header, string Key)> In(IHeaderDictionary headers)
    {
        if (Text(headers[AdminHeader]) is { } admin)
            yield return (AdminHeader, admin);
        if (Text(headers[ClientHeader]) is { } client)
            yield return (ClientHeader, client);
        if (Bearer(headers.Authorization) is { } bearer)
            yield return (BearerHeader, bearer);
    }

    /// <summary>The token of a Bearer value, or null.</summary>
    public static string? Bearer(string? authorization) =>
        authorization is not null && authorization.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase)
            ? Text(authorization[BearerScheme.Length..].Trim())
            : null;

    private static string? Text(string? value) => value is { Length: > 0 and <= MaxLength } ? value : null;
}
