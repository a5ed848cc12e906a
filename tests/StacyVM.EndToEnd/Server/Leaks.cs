using System.Diagnostics;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>Counts what a server may not leave behind: processes, mounts, cgroups, directories.</summary>
internal static class Leaks
{
    /// <summary>Asserts that no sandbox of this server has left anything. Kernel clean-up is awaited for a moment.</summary>
    public static async Task NoneAsync(PublishedServer server)
    {
        var patience = Stopwatch.StartNew();
        List<string> found;
        while ((found = Find(server)).Count > 0 && patience.Elapsed < TimeSpan.FromSeconds(10))
            await Task.Delay(50);
        Assert.True(found.Count == 0, $"left behind:\n{string.Join('\n', found)}\n--- log\n{server.Log}");
    }

    public static List<string> Find(PublishedServer server)
    {
        string sandboxes = Path.Combine(server.DataDirectory, "sandboxes");
        var found = new List<string>();
        if (Directory.Exists(sandboxes))
            found.AddRange(Directory.EnumerateFileSystemEntries(sandboxes).Select(path => $"directory {path}"));
        found.AddRange(File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(sandboxes, StringComparison.Ordinal)).Select(line => $"mount {line}"));
        found.AddRange(Processes(sandboxes));
        string installation = Path.Combine(server.DataDirectory, "installation-id");
        if (File.Exists(installation))
            found.AddRange(Cgroups(File.ReadAllText(installation).Trim()));
        return found;
    }

    private static IEnumerable<string> Processes(string marker)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[6])))
        {
            string command;
            try
            {
                // The environment names the socket of an agent that runs without a wall (mock).
                command = File.ReadAllText(Path.Combine(folder, "cmdline")) + File.ReadAllText(Path.Combine(folder, "environ"));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                continue;
            }
            if (command.Contains(marker, StringComparison.Ordinal))
                yield return $"process {Path.GetFileName(folder)} {command.Replace('\0', ' ')}";
        }
    }

    private static IEnumerable<string> Cgroups(string installation) =>
        Directory.EnumerateDirectories("/sys/fs/cgroup", $"*{installation}*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 6 })
            .SelectMany(Directory.EnumerateDirectories)
            .Select(path => $"cgroup {path}");
}
