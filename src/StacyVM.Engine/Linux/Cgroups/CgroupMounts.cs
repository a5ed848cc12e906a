namespace StacyVM.Engine.Linux.Cgroups;

/// <summary>One mounted hierarchy of control groups.</summary>
/// <param name="Version">1 or 2.</param>
/// <param name="Path">Where it is mounted.</param>
/// <param name="Controllers">Names such as <c>memory</c>; of version 2 those that its top offers.</param>
/// <param name="Own">Path below the mount of the group that this process is in.</param>
internal sealed record CgroupMount(int Version, string Path, IReadOnlyList<string> Controllers, string Own);

/// <summary>The hierarchies that this process sees: only version 1, only version 2, or both side by side.</summary>
internal static class CgroupMounts
{
    private static readonly string[] Known = ["cpu", "cpuacct", "freezer", "memory", "pids"];

    public static IReadOnlyList<CgroupMount> Read() =>
        Parse(ReadLines("/proc/self/mountinfo"), ReadLines("/proc/self/cgroup"), path => ReadLines(path).FirstOrDefault() ?? "");

    /// <param name="mounts">Lines of <c>/proc/self/mountinfo</c>.</param>
    /// <param name="own">Lines of <c>/proc/self/cgroup</c>.</param>
    /// <param name="firstLine">Reads the first line of a file.</param>
    public static IReadOnlyList<CgroupMount> Parse(IEnumerable<string> mounts, IEnumerable<string> own, Func<string, string> firstLine)
    {
        string[][] groups = [.. own.Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3)];
        var found = new List<CgroupMount>();
        foreach (string line in mounts)
        {
            // id parent major:minor root mountpoint options [tags…] - type source superoptions
            string[] halves = line.Split(" - ", 2);
            string[] head = halves[0].Split(' ');
            string[] tail = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (head.Length < 5 || tail.Length < 3)
                continue;
            string root = head[3], path = head[4];
            // A hierarchy can be mounted at several places, in a container for instance: the first is as good as any.
            if (tail[0] == "cgroup2" && !found.Exists(one => one.Version == 2))
            {
                string controllers = firstLine(Path.Combine(path, "cgroup.controllers"));
                found.Add(new CgroupMount(2, path, Names(controllers.Split(' ')), Below(root, groups.FirstOrDefault(group => group[0] == "0")?[2])));
            }
            else if (tail[0] == "cgroup")
            {
                IReadOnlyList<string> controllers = Names(tail[2].Split(','));
                if (controllers.Count > 0 && !found.Exists(one => one.Version == 1 && one.Controllers.Intersect(controllers).Any()))
                    found.Add(new CgroupMount(1, path, controllers, Below(root, groups.FirstOrDefault(group => group[1].Split(',').Contains(controllers[0]))?[2])));
            }
        }
        return found;
    }

    private static string[] Names(IEnumerable<string> candidates) => [.. candidates.Where(Known.Contains)];

    /// <summary>A mount may show only a part of its hierarchy; the own group is named from the hierarchy's top.</summary>
    private static string Below(string root, string? own)
    {
        if (own is null)
            return "/";
        if (root != "/" && own.StartsWith(root, StringComparison.Ordinal))
            own = own[root.Length..];
        return own.Length == 0 ? "/" : own;
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
