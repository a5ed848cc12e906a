using System.Globalization;
using Spectre.Console;

namespace StacyVM.Cli.Bench;

/// <summary>The parts that every report for people is made of.</summary>
internal sealed class BenchPage
{
    private const int LeastWidth = 110;

    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });

    public BenchPage() =>
        // A narrow or unknown width would break names in the middle.
        _console.Profile.Width = Math.Max(_console.Profile.Width, LeastWidth);

    public void Machine(string what, MachineDescription machine)
    {
        Console.Out.WriteLine($"StacyVM {what}");
        Console.Out.WriteLine($"{machine.Cpu}, {machine.Cores} cores, {machine.MemoryMb} MB, {machine.System}, Linux {machine.Kernel}, load {Number(machine.Load)} before");
    }

    /// <summary>The first column is left, the others are numbers.</summary>
    public void Table(IReadOnlyList<string> heads, IEnumerable<string[]> rows)
    {
        Table table = Make(heads);
        foreach (string[] row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        _console.Write(table);
    }

    public void Latencies(IReadOnlyList<Latency> latencies) => Table(
        ["milliseconds", "runs", "p50", "p95", "p99"],
        latencies.Select(latency => (string[])[latency.Name, $"{latency.Count}", Number(latency.P50), Number(latency.P95), Number(latency.P99)]));

    public void Verdicts(IReadOnlyList<Verdict> verdicts)
    {
        Table table = Make(["promise", "found", "target", ""]);
        foreach (Verdict verdict in verdicts)
        {
            table.AddRow(
                new Text(verdict.Name), new Text(Number(verdict.Value)), new Text(verdict.Target),
                verdict.Passed ? new Text("pass", new Style(Color.Green)) : new Text("MISS", new Style(Color.Red)));
        }
        _console.Write(table);
    }

    public void Skipped(IReadOnlyList<string> skipped)
    {
        foreach (string one in skipped)
            Console.Out.WriteLine("skipped: " + one);
    }

    public static string Number(double value) => value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    private static Table Make(IReadOnlyList<string> heads)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        table.AddColumn(new TableColumn(new Text(heads[0])));
        foreach (string head in heads.Skip(1))
            table.AddColumn(new TableColumn(new Text(head)).RightAligned());
        return table;
    }
}
