using System.Security.Cryptography;

namespace StacyVM.Protocol;

/// <summary>
/// Ids of sandboxes: <c>sb-</c> and 16 lower hex digits (64 random bits). Lower-case and short enough that <c>65535-&lt;id&gt;</c> is one DNS label.
/// Providers that run elsewhere may bring ids of their own; those satisfy <see cref="IsSafe"/> or are refused.
/// </summary>
public static class SandboxId
{
    /// <summary>Makes a new id.</summary>
    public static string New() => "sb-" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>True for 1 to 57 characters of <c>a-z 0-9 -</c> that neither begin nor end with a dash: safe as file name, label and path segment.</summary>
    public static bool IsSafe(string? id)
    {
        if (id is not { Length: >= 1 and <= 57 } || id[0] == '-' || id[^1] == '-')
            return false;
        foreach (char c in id)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
                return false;
        }
        return true;
    }
}
