using System.Text;

namespace StacyVM.Cli.Output;

/// <summary>Columns aligned by blanks, two between them: readable for people, and for <c>awk</c>. Never wrapped, never cut.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> _rows = [header];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(Visible)]);

    public override string ToString()
    {
        int[] widths = new int[header.Length];
        foreach (string[] row in _rows)
        {
            for (int column = 0; column < row.Length; column++)
                widths[column] = Math.Max(widths[column], row[column].Length);
        }
        var text = new StringBuilder();
        foreach (string[] row in _rows)
        {
            var line = new StringBuilder();
            for (int column = 0; column < row.Length; column++)
                line.Append(row[column].PadRight(widths[column])).Append("  ");
            text.Append(line.ToString().TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>Names of files and commands come from sandboxes: their control characters must not reach the terminal.</summary>
    internal static string Visible(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        return new string([.. text.Select(c => char.IsControl(c) ? '?' : c)]);
    }
}
