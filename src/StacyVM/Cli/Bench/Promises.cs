namespace StacyVM.Cli.Bench;

/// <summary>
/// What the product promises, judged by the medians of a run. A promise whose measurements are missing is not judged; on Docker's own
/// containers a create is Docker's work, which must not grow, and their memory is its shims'.
/// </summary>
internal static class Promises
{
    public static IEnumerable<Verdict> Judge(string provider, IReadOnlyList<Latency> latencies, IReadOnlyList<Quantity> quantities)
    {
        double? Time(string name) => latencies.FirstOrDefault(latency => latency.Name == name)?.P50;
        double? Amount(string name) => quantities.FirstOrDefault(quantity => quantity.Name == name)?.Value;

        bool docker = provider == "docker";
        return ((Verdict?[])
        [
            docker ? null : AtMost("create → first result ÷ raw bwrap", Time(Names.Create) / Time(Names.Bubblewrap), 3, "×"),
            AtLeast("docker run ÷ create → first result", Time(Names.DockerRun) / Time(Names.Create), docker ? 1 : 15, "×"),
            AtMost("exec over HTTP ÷ exec without HTTP", Time(Names.Exec) / Time(Names.DirectExec), 2, "×"),
            AtLeast("docker exec ÷ exec over HTTP", Time(Names.DockerExec) / Time(Names.Exec), 25, "×"),
            AtLeast(Names.Upload, Amount(Names.Upload), 500, " MB/s"),
            AtLeast(Names.Download, Amount(Names.Download), 500, " MB/s"),
            docker ? null : AtMost(Names.SandboxMemory, Amount(Names.SandboxMemory), 4, " MB"),
            AtMost(Names.BusyServer, Amount(Names.BusyServer), 250, " MB"),
            AtMost(Names.IdleServer, Amount(Names.IdleServer), 80, " MB"),
            AtMost(Names.Start, Time(Names.Start), 150, " ms"),
        ]).OfType<Verdict>();
    }

    internal static Verdict? AtMost(string name, double? value, double bound, string unit) =>
        value is { } found ? new Verdict(name, found, $"≤ {bound}{unit}", found <= bound) : null;

    internal static Verdict? AtLeast(string name, double? value, double bound, string unit) =>
        value is { } found ? new Verdict(name, found, $"≥ {bound}{unit}", found >= bound) : null;
}
