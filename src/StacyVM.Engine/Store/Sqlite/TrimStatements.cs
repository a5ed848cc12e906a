using System.Globalization;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>
/// What retention deletes, a chunk a statement. None of them looks at more rows than it deletes, however many there are: ages come from an index or
/// from the order of the ids, and how many rows are too many from the last id.
/// </summary>
internal static class TrimStatements
{
    /// <summary>Rows that one statement deletes.</summary>
    public const int Chunk = 1_000;

    private static readonly string Limit = Chunk.ToString(CultureInfo.InvariantCulture);

    private static readonly string[] Logs = ["exec_logs", "operation_audit_logs"];

    /// <summary>Takes <c>$before</c>.</summary>
    public static readonly IReadOnlyList<string> ByAge =
    [
        $"DELETE FROM sandboxes WHERE rowid IN (SELECT rowid FROM sandboxes WHERE state = 'destroyed' AND updated_at < $before LIMIT {Limit})",
        .. Logs.Select(table => $"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT {Limit}) AND created_at < $before"),
    ];

    /// <summary>Takes <c>$most</c>. Ids are given without gaps; a table may keep fewer than the most, and never more.</summary>
    public static readonly IReadOnlyList<string> ByCount =
    [
        $"""
        DELETE FROM sandboxes WHERE rowid IN (SELECT rowid FROM sandboxes NOT INDEXED
            WHERE rowid <= (SELECT max(rowid) FROM sandboxes) - $most AND state = 'destroyed' ORDER BY rowid LIMIT {Limit})
        """,
        .. Logs.Select(table => $"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - $most ORDER BY id LIMIT {Limit})"),
    ];
}
