using System.Diagnostics;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Bench;

/// <summary>What sandboxes have left on this machine after their end.</summary>
internal static class Remains
{
    /// <summary>Looks until nothing is left, for a while.</summary>
    public static async Task<List<string>> SettledAsync(BenchServer server, IReadOnlyCollection<string> made, TimeSpan patience, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            List<string> found = [.. (await server.Client.ListAsync(cancellation)).Select(sandbox => $"sandbox {sandbox.Id} is {sandbox.State}"), .. Find(server.DataDirectory, made)];
            if (found.Count == 0 || Stopwatch.GetElapsedTime(start) > patience)
                return found;
            await Task.Delay(250, cancellation);
        }
    }

    /// <summary>Open descriptors of a process; 0 where they may not be seen.</summary>
    public static int Descriptors(int pid)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static IEnumerable<string> Find(string dataDirectory, IReadOnlyCollection<string> made)
    {
        string sandboxes = Path.Combine(dataDirectory, "sandboxes");
        IEnumerable<string> directories = Directory.Exists(sandboxes) ? Directory.EnumerateFileSystemEntries(sandboxes).Select(path => $"directory {Path.GetFileName(path)}") : [];
        IEnumerable<string> mounts = File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(sandboxes, StringComparison.Ordinal)).Select(line => $"mount {line}");
        IEnumerable<string> processes = ProcessMemory.Of(made).Select(pid => $"process {pid}");
        string installation = Path.Combine(dataDirectory, "installation-id");
        IEnumerable<string> groups = File.Exists(installation) ? Groups(File.ReadAllText(installation).Trim()) : [];
        return directories.Concat(mounts).Concat(processes).Concat(groups);
    }

    private static IEnumerable<string> Groups(string installation) => !Directory.Exists("/sys/fs/cgroup")
        ? []
        : Directory.EnumerateDirectories(
                "/sys/fs/cgroup", $"*{installation}*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 6 })
            .SelectMany(Directory.EnumerateDirectories)
            .Select(path => $"control group {path}");
}
