namespace StacyVM.Server.Security;

/// <summary>
/// Who is written down as having done a thing. Anyone with a key can send any <c>X-User-ID</c>, so that the claim stands beside what is proved:
/// <c>alice@api:X-API-Key</c>. What follows the last <c>@</c> is always the server's own word.
/// </summary>
internal static class Actors
{
    public const string Anonymous = "anonymous";

    public static string OfKey(string role, string header) => $"{role}:{header}";

    /// <summary>With the claim, if there is one.</summary>
    public static string Claimed(string? user, string proved) => user is null ? proved : $"{user}@{proved}";

    /// <summary>The actors that a filter means: the one of this name, and everyone who claimed to be this user.</summary>
    public static IReadOnlyList<string> Meant(string name) =>
    [
        name,
        Claimed(name, Anonymous),
        .. from role in (string[])[KeyRing.ClientRole, KeyRing.AdminRole] from header in PresentedKeys.Headers select Claimed(name, OfKey(role, header)),
    ];
}
