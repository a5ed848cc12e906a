using System.Globalization;

namespace StacyVM.Cli.Bench;

/// <summary>What the numbers were found on: without it they say nothing.</summary>
/// <param name="Cpu">Model.</param>
/// <param name="Cores">Logical processors that this program may use.</param>
/// <param name="MemoryMb">In all.</param>
/// <param name="Kernel">Release.</param>
/// <param name="System">Distribution.</param>
/// <param name="Load">Average over the last minute before the run: what else the machine was doing.</param>
internal sealed record MachineDescription(string Cpu, int Cores, long MemoryMb, string Kernel, string System, double Load)
{
    public static MachineDescription Read() => new(
        Field("/proc/cpuinfo", "model name", ':') ?? "unknown",
        Environment.ProcessorCount,
        long.TryParse(Field("/proc/meminfo", "MemTotal", ':')?.Split(' ')[0], out long kilobytes) ? kilobytes / 1024 : 0,
        FirstLine("/proc/sys/kernel/osrelease"),
        Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? "unknown",
        double.TryParse(FirstLine("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture, out double load) ? load : 0);

    private static string FirstLine(string path) => File.Exists(path) ? File.ReadLines(path).FirstOrDefault() ?? "" : "";

    private static string? Field(string path, string name, char separator) => File.Exists(path)
        ? File.ReadLines(path).Where(line => line.StartsWith(name, StringComparison.Ordinal)).Select(line => line[(line.IndexOf(separator) + 1)..].Trim()).FirstOrDefault()
        : null;
}
