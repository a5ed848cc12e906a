using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text.RegularExpressions;
using StacyVM.Protocol;

namespace StacyVM.Engine.Configuration;

/// <summary>The kinds of value that the configuration knows.</summary>
internal static partial class ConfigurationTypes
{
    public static readonly ConfigurationType<string> Text = OfText("string", "a text", text => text);

    /// <summary>A leading <c>~/</c> is the home directory; the loader makes relative paths absolute where that is promised.</summary>
    public static readonly ConfigurationType<string> FilePath = OfText("path", "a path", text => text.Trim());

    public static readonly ConfigurationType<string> Url = OfText(
        "url", "an absolute URL, e.g. http://localhost:7423",
        text => text.Length == 0 || Uri.TryCreate(text, UriKind.Absolute, out Uri? _) ? text : null);

    /// <summary>Of a service that is called: without credentials, which would be shown wherever the address is.</summary>
    public static readonly ConfigurationType<string> ServiceUrl = OfText(
        "url", "an http or https address without user, query and fragment, e.g. https://sandboxes.example",
        text => text.Length == 0 || (Uri.TryCreate(text.Trim(), UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url is { UserInfo: "", Query: "", Fragment: "" }) ? text.Trim() : null);

    /// <summary>Name of an isolation level; which ones there are is a rule of its own.</summary>
    public static readonly ConfigurationType<string> LevelName = OfText(
        "string", "a name of lower-case letters, digits and dashes",
        text => text.Trim().ToLowerInvariant() is var name && SandboxId.IsSafe(name) ? name : null);

    public static readonly ConfigurationType<bool> Switch = new(
        "bool", "true or false",
        (ConfigurationValue raw, out bool value) =>
        {
            string text = raw.Text?.Trim().ToLowerInvariant() ?? "";
            value = text is "true" or "1" or "t" or "yes" or "on";
            return value || text is "false" or "0" or "f" or "no" or "off";
        },
        value => value ? "true" : "false");

    public static readonly ConfigurationType<TimeSpan> Duration = new(
        "duration", "a duration of zero or more such as 30s, 10m or 1h30m",
        (ConfigurationValue raw, out TimeSpan value) => GoDuration.TryParse(raw.Text?.Trim(), out value) && value >= TimeSpan.Zero,
        GoDuration.Format);

    public static readonly ConfigurationType<long> Size = new(
        "size", "a number of bytes above zero such as 65536, 512k, 64m or 2g",
        (ConfigurationValue raw, out long value) => TryParseSize(raw.Text, out value) && value > 0,
        FormatSize);

    public static readonly ConfigurationType<IReadOnlyList<string>> List = OfList("list", "a list, or one text with commas", _ => true);

    public static readonly ConfigurationType<IReadOnlyList<string>> Origins = OfList(
        "list", "a list of origins: * or http(s)://host[:port], without path, query or fragment", IsOrigin);

    public static readonly ConfigurationType<IReadOnlyList<string>> Networks = OfList(
        "list", "a list of IP addresses and networks such as 10.0.0.7 and 10.1.0.0/16", text => IPAddress.TryParse(text, out _) || IPNetwork.TryParse(text, out _));

    public static readonly ConfigurationType<IReadOnlyDictionary<string, string>> Map = new(
        "map", "a map of texts, written in the file",
        (ConfigurationValue raw, [MaybeNullWhen(false)] out IReadOnlyDictionary<string, string> value) =>
        {
            value = raw.Entries ?? new Dictionary<string, string>();
            return raw.Entries is not null;
        },
        value => string.Join(", ", value.Select(entry => $"{entry.Key}: {entry.Value}")));

    /// <summary>A count of something; what zero means stands in the meaning of the key.</summary>
    public static ConfigurationType<int> Count(int least = 0, int most = int.MaxValue) => Number<int>(least, most);

    /// <summary>A user id, or a count of them.</summary>
    public static ConfigurationType<uint> UserId() => Number<uint>(1, uint.MaxValue - 1);

    /// <summary>One of a closed set, in any case; an alias stands for the name after the equals sign, e.g. <c>sqlite3=sqlite</c>.</summary>
    public static ConfigurationType<string> OneOf(params string[] names)
    {
        var canonical = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in names)
        {
            string[] parts = name.Split('=');
            canonical[parts[0]] = parts[^1];
        }
        string choices = string.Join(", ", names.Where(name => !name.Contains('=')));
        return OfText("enum", $"one of {choices}", text => canonical.GetValueOrDefault(text.Trim()));
    }

    /// <summary>A text with a rule of its own: <paramref name="accept"/> gives the value in its one spelling, or null.</summary>
    public static ConfigurationType<string> OfText(string name, string expectation, Func<string, string?> accept) => new(
        name, expectation,
        (ConfigurationValue raw, [MaybeNullWhen(false)] out string value) =>
        {
            string? accepted = raw.Text is null ? null : accept(raw.Text);
            value = accepted ?? "";
            return accepted is not null;
        },
        value => value);

    private static ConfigurationType<IReadOnlyList<string>> OfList(string name, string expectation, Func<string, bool> accept) => new(
        name, expectation,
        (ConfigurationValue raw, [MaybeNullWhen(false)] out IReadOnlyList<string> value) =>
        {
            // A text comes from the environment or a flag, where commas separate.
            value = raw.Items ?? raw.Text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
            return raw.Entries is null && value.All(accept);
        },
        value => $"[{string.Join(", ", value)}]");

    private static ConfigurationType<T> Number<T>(T least, T most) where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(
        "int", most == T.MaxValue ? $"a whole number of at least {least}" : $"a whole number from {least} to {most}",
        (ConfigurationValue raw, out T value) =>
            T.TryParse(raw.Text?.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= least && value <= most,
        value => value.ToString(null, CultureInfo.InvariantCulture));

    private static bool TryParseSize(string? text, out long value)
    {
        ReadOnlySpan<char> digits = text.AsSpan().Trim();
        int shift = digits.IsEmpty ? 0 : char.ToLowerInvariant(digits[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (shift > 0)
            digits = digits[..^1];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) || value > long.MaxValue >> shift)
            return false;
        value <<= shift;
        return true;
    }

    private static string FormatSize(long bytes) => bytes switch
    {
        >= 1L << 30 when bytes % (1L << 30) == 0 => $"{bytes >> 30}g",
        >= 1L << 20 when bytes % (1L << 20) == 0 => $"{bytes >> 20}m",
        >= 1L << 10 when bytes % (1L << 10) == 0 => $"{bytes >> 10}k",
        _ => bytes.ToString(CultureInfo.InvariantCulture),
    };

    private static bool IsOrigin(string text) => text == "*" || OriginPattern().IsMatch(text) && Uri.TryCreate(text, UriKind.Absolute, out _);

    [GeneratedRegex(@"^https?://[^/?#@\s]+$", RegexOptions.IgnoreCase)]
    private static partial Regex OriginPattern();
}
