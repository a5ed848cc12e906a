using StacyVM.Cli.Output;
using StacyVM.Engine.Checks;

namespace StacyVM.Cli.Operations;

/// <summary>How checks look, and what they exit with.</summary>
internal static class CheckPrinter
{
    private const int FailedExitCode = 1;

    /// <summary>Prints them.</summary>
    /// <param name="checks">In their order.</param>
    /// <param name="command">Who checked, for the last sentence.</param>
    /// <param name="json">For machines.</param>
    /// <returns>The exit code: 1 when one has failed.</returns>
    public static int Print(IReadOnlyList<Check> checks, string command, bool json)
    {
        var report = CheckReport.Of(checks);
        if (json)
        {
            Printer.Json(report, CliJson.Default.CheckReport);
        }
        else
        {
            WriteLines(report.Checks);
            if (report.Failed > 0)
                ErrorBlock.WriteFailure($"{command} found {report.Failed} failing check(s)");
        }
        return report.Failed > 0 ? FailedExitCode : 0;
    }

    /// <summary>Every check on a line, its fix below it.</summary>
    public static void WriteLines(IEnumerable<CheckRow> rows)
    {
        foreach (CheckRow row in rows)
        {
            Console.Out.WriteLine($"{Colored(row.Status)} {row.Name}: {TextTable.Visible(row.Message)}");
            if (row.Status != "PASS" && row.Remediation is { } remedy)
                Console.Out.WriteLine($"      fix: {TextTable.Visible(remedy)}");
        }
    }

    private static string Colored(string status)
    {
        bool color = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        string number = status switch { "PASS" => "32", "WARN" => "33", _ => "31" };
        return color ? $"\u001b[{number}m[{status}]\u001b[0m" : $"[{status}]";
    }
}
