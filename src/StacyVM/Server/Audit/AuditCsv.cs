using System.Globalization;
using System.Text;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Audit;

/// <summary>
/// The audit as a table for spreadsheets. Paths and user agents are texts of strangers: a cell that a spreadsheet would take for a formula gets an
/// apostrophe in front, which makes it a text.
/// </summary>
internal static class AuditCsv
{
    public const string ContentType = "text/csv; charset=utf-8";
    public const string Disposition = "attachment; filename=\"stacyvm-admin-audit.csv\"";

    private const string Header = "id,created_at,actor,method,path,status,duration_ms,request_id,remote_addr,user_agent";

    // With the wide forms, which East Asian editions take alike.
    private const string FormulaStarts = "=+-@\t\r\n＝＋－＠";

    public static string Write(IEnumerable<AdminAuditRecord> records)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (AdminAuditRecord record in records)
        {
            string[] cells =
            [
                record.Id.ToString(CultureInfo.InvariantCulture),
                record.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                Cell(record.Actor),
                Cell(record.Method),
                Cell(record.Path),
                record.Status.ToString(CultureInfo.InvariantCulture),
                record.DurationMs.ToString(CultureInfo.InvariantCulture),
                Cell(record.RequestId),
                Cell(record.RemoteAddr),
                Cell(record.UserAgent),
            ];
            text.AppendJoin(',', cells).Append('\n');
        }
        return text.ToString();
    }

    internal static string Cell(string text)
    {
        // Blanks in front do not hinder every spreadsheet.
        string bare = text.TrimStart(' ');
        string safe = bare.Length > 0 && FormulaStarts.Contains(bare[0]) ? "'" + text : text;
        return safe.AsSpan().ContainsAny(",\"\r\n") ? $"\"{safe.Replace("\"", "\"\"")}\"" : safe;
    }
}
