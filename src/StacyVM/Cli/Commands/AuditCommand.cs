using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class AuditCommand
{
    public static Command Create()
    {
        var limit = new Option<int?>("--limit") { Description = "How many rows, at most 500 [default: 100]" };
        var actor = new Option<string?>("--actor") { Description = "Only this actor, or this user id" };
        var method = new Option<string?>("--method") { Description = "Only this HTTP method" };
        var status = new Option<int?>("--status") { Description = "Only answers with this HTTP status, such as 401" };
        var path = new Option<string?>("--path") { Description = "Only paths that contain this" };
        var csv = new Option<bool>("--csv") { Description = "Print CSV" };
        var command = new Command("audit", "Show what was done in the admin area and what was refused") { limit, actor, method, status, path, csv };
        command.Validators.Add(result =>
        {
            if (result.GetValue(csv) && result.GetValue(GlobalOptions.Json))
                result.AddError("--csv and --json exclude each other");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            var filter = new AuditFilter
            {
                Limit = parsed.GetValue(limit),
                Actor = parsed.GetValue(actor),
                Method = parsed.GetValue(method),
                Status = parsed.GetValue(status),
                Path = parsed.GetValue(path),
            };
            if (parsed.GetValue(csv))
                Console.Out.Write(await client.AuditCsvAsync(filter, cancellation));
            else
                Print(parsed, [.. await client.AuditAsync(filter, cancellation)]);
        });
        return command;
    }

    private static void Print(ParseResult parsed, List<AdminAuditRecord> records)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            Printer.Json(records, RestJson.Default.ListAdminAuditRecord);
            return;
        }
        if (records.Count == 0)
        {
            Console.Out.WriteLine("Nothing was written down that matches");
            return;
        }
        var table = new TextTable("TIME", "ACTOR", "METHOD", "PATH", "STATUS", "MS", "FROM");
        foreach (AdminAuditRecord record in records)
        {
            table.Add(
                record.CreatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                record.Actor,
                record.Method.Length == 0 ? "-" : record.Method,
                record.Path,
                record.Status.ToString(CultureInfo.InvariantCulture),
                record.DurationMs.ToString(CultureInfo.InvariantCulture),
                record.RemoteAddr.Length == 0 ? "-" : record.RemoteAddr);
        }
        Console.Out.Write(table);
    }
}
