using System.Text;

namespace StacyVM.Engine.Templates;

/// <summary>The end of what a command prints, for a message: bounded, without control characters, and with every hidden value made unreadable.</summary>
/// <param name="hidden">Values that must not be told.</param>
internal sealed class OutputTail(IReadOnlyList<string> hidden)
{
    private const int MostCharacters = 1_000;
    private const char Masked = '\u0001';

    // More than is shown by more than the longest hidden value: one that the beginning of the window cuts in two never reaches the part that is shown.
    private const int Window = 2 * TemplateRules.MaxValueBytes;

    private readonly MemoryStream _bytes = new();

    public void Add(ReadOnlySpan<byte> data)
    {
        _bytes.Write(data);
        if (_bytes.Length <= 2 * Window)
            return;
        byte[] last = _bytes.GetBuffer().AsSpan((int)_bytes.Length - Window, Window).ToArray();
        _bytes.SetLength(0);
        _bytes.Write(last);
    }

    public override string ToString()
    {
        string text = Encoding.UTF8.GetString(_bytes.GetBuffer().AsSpan(0, (int)_bytes.Length)).TrimEnd();
        // The longest first: a value may be part of another. Each keeps its length until the tail is cut.
        foreach (string value in hidden.SelectMany(Pieces).Distinct().OrderByDescending(piece => piece.Length))
            text = text.Replace(value, new string(Masked, value.Length), StringComparison.Ordinal);
        bool cut = text.Length > MostCharacters;
        var shown = new StringBuilder(cut ? "…" : "");
        int first = cut ? text.Length - MostCharacters : 0;
        for (int i = first; i < text.Length; i++)
        {
            if (text[i] != Masked)
                shown.Append(char.IsControl(text[i]) && text[i] != '\n' ? '?' : text[i]);
            else if (i == first || text[i - 1] != Masked)
                shown.Append("***");
        }
        return shown.ToString();
    }

    /// <summary>A value, and its lines: programs print a key line by line.</summary>
    private static IEnumerable<string> Pieces(string value) =>
        value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Append(value.Trim()).Where(piece => piece.Length > 0);
}
