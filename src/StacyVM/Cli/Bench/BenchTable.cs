using System.Globalization;
using Spectre.Console;

namespace StacyVM.Cli.Bench;

/// <summary>A report for people.</summary>
internal static class BenchTable
{
    private const int LeastWidth = 110;

    public static void Print(BenchReport report)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        // A narrow or unknown width would break names in the middle.
        console.Profile.Width = Math.Max(console.Profile.Width, LeastWidth);
        MachineDescription machine = report.Machine;
        Console.Out.WriteLine($"StacyVM {report.Version}, {report.Provider}, image {report.Image}");
        Console.Out.WriteLine($"{machine.Cpu}, {machine.Cores} cores, {machine.MemoryMb} MB, {machine.System}, Linux {machine.Kernel}, load {Number(machine.Load)} before");

        Table latencies = Make("milliseconds", "runs", "p50", "p95", "p99");
        foreach (Latency latency in report.Latencies)
            Add(latencies, latency.Name, $"{latency.Count}", Number(latency.P50), Number(latency.P95), Number(latency.P99));
        console.Write(latencies);

        Table rates = Make("a second", [.. report.Rates.Select(rate => rate.Concurrency).Distinct().Select(at => $"{at} at a time")]);
        foreach (IGrouping<string, Rate> rate in report.Rates.GroupBy(rate => rate.Name))
            Add(rates, [rate.Key, .. rate.Select(one => Number(one.PerSecond))]);
        console.Write(rates);

        Table quantities = Make("amounts", "", "");
        foreach (Quantity quantity in report.Quantities)
            Add(quantities, quantity.Name, Number(quantity.Value), quantity.Unit);
        console.Write(quantities);

        Table verdicts = Make("promise", "found", "target", "");
        foreach (Verdict verdict in report.Verdicts)
        {
            verdicts.AddRow(
                new Text(verdict.Name), new Text(Number(verdict.Value)), new Text(verdict.Target),
                verdict.Passed ? new Text("pass", new Style(Color.Green)) : new Text("MISS", new Style(Color.Red)));
        }
        console.Write(verdicts);
        foreach (string skipped in report.Skipped)
            Console.Out.WriteLine("skipped: " + skipped);
    }

    private static Table Make(string title, params string[] columns)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        table.AddColumn(new TableColumn(new Text(title)));
        foreach (string column in columns)
            table.AddColumn(new TableColumn(new Text(column)).RightAligned());
        return table;
    }

    private static void Add(Table table, params string[] cells) => table.AddRow(cells.Select(cell => new Text(cell)));

    private static string Number(double value) => value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
