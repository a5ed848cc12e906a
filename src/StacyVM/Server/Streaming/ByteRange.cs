using System.Globalization;

namespace StacyVM.Server.Streaming;

/// <summary>One range of a <c>Range</c> header. Several ranges at once, and other units, are answered with the whole file, as HTTP allows.</summary>
/// <param name="First">Null: the last <paramref name="Last"/> bytes.</param>
/// <param name="Last">Null: to the end.</param>
internal readonly record struct ByteRange(long? First, long? Last)
{
    public static ByteRange? Parse(string? header)
    {
        const string unit = "bytes=";
        if (header is null || !header.StartsWith(unit, StringComparison.OrdinalIgnoreCase) || header.Contains(','))
            return null;
        ReadOnlySpan<char> range = header.AsSpan(unit.Length).Trim();
        int dash = range.IndexOf('-');
        if (dash < 0 || !Number(range[..dash], out long? first) || !Number(range[(dash + 1)..], out long? last))
            return null;
        return first is null && last is null || last < first ? null : new(first, last);
    }

    /// <summary>The bytes that it means in a file of a size; null when it lies outside.</summary>
    public (long Offset, long Length)? Within(long size)
    {
        long offset = First ?? Math.Max(0, size - Last!.Value);
        long end = First is null || Last is null ? size : Math.Min(size, Last.Value == long.MaxValue ? size : Last.Value + 1);
        return offset < end ? (offset, end - offset) : null;
    }

    private static bool Number(ReadOnlySpan<char> text, out long? number)
    {
        number = null;
        if (text.IsEmpty)
            return true;
        bool parsed = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        number = value;
        return parsed;
    }
}
