namespace StacyVM.Cli.Bench;

/// <summary>Memory of processes as the kernel accounts it.</summary>
internal static class ProcessMemory
{
    /// <summary>Programs that a sandbox consists of on the host, besides what the user runs in it.</summary>
    private static readonly string[] Walls = ["bwrap", "stacyvm-agent", "containerd-shim", "runsc", "proot"];

    /// <summary>All process ids now.</summary>
    public static HashSet<int> All() =>
        [.. Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), out int pid) ? pid : 0).Where(pid => pid > 0)];

    /// <summary>True for what stands around a sandbox or is its agent. Whatever else began to run on this machine meanwhile is not ours.</summary>
    public static bool IsWall(int pid)
    {
        try
        {
            string name = File.ReadAllText($"/proc/{pid}/comm").Trim();
            // The kernel keeps 15 bytes of a name.
            return Walls.Any(wall => name.StartsWith(wall.Length > 15 ? wall[..15] : wall, StringComparison.Ordinal));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Its share of memory in bytes, pages that others map too counted in proportion; null when it has gone or may not be read.</summary>
    public static long? ProportionalBytes(int pid) => Kilobytes($"/proc/{pid}/smaps_rollup", "Pss:") * 1024;

    /// <summary>What it holds in memory, shared pages counted whole.</summary>
    public static long? ResidentBytes(int pid) => Kilobytes($"/proc/{pid}/status", "VmRSS:") * 1024;

    private static long? Kilobytes(string path, string field)
    {
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                if (line.StartsWith(field, StringComparison.Ordinal))
                    return long.Parse(line[field.Length..].Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Gone, or another user's.
        }
        return null;
    }
}
