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

    /// <summary>Processes whose command line names one of these sandboxes, with all that they have started.</summary>
    public static List<int> Of(IReadOnlyCollection<string> sandboxIds)
    {
        var children = new Dictionary<int, List<int>>();
        var waiting = new Queue<int>();
        foreach (int pid in All())
        {
            if (!children.TryGetValue(ParentOf(pid), out List<int>? siblings))
                children[ParentOf(pid)] = siblings = [];
            siblings.Add(pid);
            string line = CommandLineOf(pid);
            if (line.Length > 0 && sandboxIds.Any(line.Contains))
                waiting.Enqueue(pid);
        }
        var found = new HashSet<int>();
        while (waiting.TryDequeue(out int pid))
        {
            if (found.Add(pid) && children.TryGetValue(pid, out List<int>? started))
                started.ForEach(waiting.Enqueue);
        }
        return [.. found];
    }

    /// <summary>Its share of memory in bytes, pages that others map too counted in proportion; null when it has gone or may not be read.</summary>
    public static long? ProportionalBytes(int pid) => Number($"/proc/{pid}/smaps_rollup", "Pss:") * 1024;

    /// <summary>What it holds in memory, shared pages counted whole.</summary>
    public static long? ResidentBytes(int pid) => Number($"/proc/{pid}/status", "VmRSS:") * 1024;

    private static int ParentOf(int pid) => (int)(Number($"/proc/{pid}/status", "PPid:") ?? 0);

    private static string CommandLineOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static long? Number(string path, string field)
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
