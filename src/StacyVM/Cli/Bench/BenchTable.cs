namespace StacyVM.Cli.Bench;

/// <summary>A report for people.</summary>
internal static class BenchTable
{
    public static void Print(BenchReport report)
    {
        var page = new BenchPage();
        page.Machine($"{report.Version}, {report.Provider}, image {report.Image}", report.Machine);
        page.Latencies(report.Latencies);
        page.Table(
            ["a second", .. report.Rates.Select(rate => rate.Concurrency).Distinct().Select(at => $"{at} at a time")],
            report.Rates.GroupBy(rate => rate.Name).Select(rate => (string[])[rate.Key, .. rate.Select(one => BenchPage.Number(one.PerSecond))]));
        page.Table(["amounts", "", ""], report.Quantities.Select(quantity => (string[])[quantity.Name, BenchPage.Number(quantity.Value), quantity.Unit]));
        page.Verdicts(report.Verdicts);
        page.Skipped(report.Skipped);
    }
}
