namespace StacyVM.Server.Requests;

/// <summary>Texts of a request as they may stand in a log: a control character would let a caller write lines of its own.</summary>
internal static class LogText
{
    private const int MaxPathLength = 512;

    /// <summary>The decoded path, never the query: that may hold a ticket.</summary>
    public static string OfPath(PathString path) => Of(path.Value ?? "", MaxPathLength);

    public static string Of(string text, int maxLength)
    {
        if (text.Length > maxLength)
            text = text[..maxLength];
        return text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
    }
}
