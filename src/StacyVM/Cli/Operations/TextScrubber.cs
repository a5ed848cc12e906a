using System.Text.RegularExpressions;

namespace StacyVM.Cli.Operations;

/// <summary>
/// Takes secrets out of texts. What is known to be secret goes wherever it stands; beyond that only what looks like a secret can be found, so a
/// scrubbed text is never the only protection.
/// </summary>
internal sealed partial class TextScrubber
{
    public const string Redacted = "[REDACTED]";

    /// <summary>A shorter secret would take common words with it; it is no secret anyway.</summary>
    private const int LeastLength = 4;

    private readonly string[] _known;

    /// <param name="known">Texts that must not be seen.</param>
    public TextScrubber(IEnumerable<string> known)
    {
        // As they are, and as a URL has them; the longest first, so that one which holds another goes as a whole.
        _known = [.. known.Where(secret => secret.Length >= LeastLength).SelectMany(secret => (string[])[secret, Uri.EscapeDataString(secret)]).Distinct().OrderByDescending(secret => secret.Length)];
    }

    public string Scrub(string text)
    {
        foreach (string secret in _known)
            text = text.Replace(secret, Redacted, StringComparison.Ordinal);
        text = WithoutCredentials(text);
        text = Bearer().Replace(text, $"$1 {Redacted}");
        text = Assignment().Replace(text, $"$1{Redacted}");
        return TokenShape().Replace(text, Redacted);
    }

    /// <summary>URLs, and what is left of them in a path, without the user and password in them.</summary>
    public static string WithoutCredentials(string text) => UserInfo().Replace(text, $"$1{Redacted}@");

    [GeneratedRegex(@"([a-z][a-z0-9+.-]*:/{1,2}|\b)[\w.%+-]*:[^/\s@:]+@", RegexOptions.IgnoreCase)]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"\b(bearer|basic)\s+[^\s,;]+", RegexOptions.IgnoreCase)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"([\w-]*(?:api[_-]?key|signing[_-]?key|private[_-]?key|token|secret|passwo?r?d|passwd|credential|authorization|dsn)[\w-]*[""']?\s*[=:]\s*)(?:""[^""]*""|'[^']*'|[^\s,;&]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Assignment();

    // Keys of this server and of well-known services, tokens of three parts, and long runs of digits and letters.
    [GeneratedRegex(@"\b(?:sk-[\w-]{6,}|stacyvm_[0-9a-f]{16,}|gh[pousr]_\w{16,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-fA-F]{32,}|(?=\w*\d)(?=\w*[A-Za-z])\w{40,})\b")]
    private static partial Regex TokenShape();
}
