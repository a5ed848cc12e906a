namespace StacyVM.Cli.Bench.Levels;

/// <summary>The levels for people.</summary>
internal static class LevelsTable
{
    public static void Print(LevelsReport report)
    {
        var page = new BenchPage();
        page.Machine(report.Version, report.Machine);
        page.Table(
            ["level", "image", "first spawn", "spawn", "from checkpoint", "exec", "MB each"],
            report.Levels.Select(level => (string[])
            [
                level.Provider, level.Image, Cell(level.FirstMs), Cell(level.SpawnMs), level.CheckpointMs is null ? "" : $"{Cell(level.CheckpointMs)} ({level.CheckpointContent})",
                Cell(level.ExecMs), Cell(level.MemoryMb),
            ]));
        page.Latencies(report.Floors);
        page.Verdicts(report.Verdicts);
        page.Skipped(report.Skipped);
    }

    private static string Cell(double? value) => value is { } number ? BenchPage.Number(number) : "";
}
