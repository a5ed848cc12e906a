using System.Globalization;
using System.Text;

namespace StacyVM.Tests.Conformance;

/// <summary>Counts what a test left on the machine.</summary>
internal static class Remains
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Processes that were killed may take a moment to be reaped by strangers: what is still there after a while is a leak.</summary>
    public static async Task<IReadOnlyList<string>> WaitUntilNoneAsync(string dataDirectory, IReadOnlyList<string> names, Func<Task<IReadOnlyList<string>>> others)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            List<string> found = [.. Processes(dataDirectory), .. Mounts(dataDirectory), .. Cgroups(names), .. Files(dataDirectory), .. await others()];
            if (found.Count == 0 || Environment.TickCount64 > end)
                return found;
            await Task.Delay(20);
        }
    }

    /// <summary>Living processes whose command line holds a text, as the host sees them.</summary>
    public static IReadOnlyList<int> WithArgument(string text)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(text);
        return [.. All().Where(pid => !IsDead(pid) && Read($"/proc/{pid}/cmdline").AsSpan().IndexOf(wanted) >= 0)];
    }

    private static IEnumerable<string> Processes(string dataDirectory)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(dataDirectory);
        foreach (int pid in All())
        {
            if (pid == Environment.ProcessId || IsDead(pid))
                continue;
            byte[] command = Read($"/proc/{pid}/cmdline");
            bool ours = command.AsSpan().IndexOf(wanted) >= 0
                || Read($"/proc/{pid}/environ").AsSpan().IndexOf(wanted) >= 0
                || Link($"/proc/{pid}/exe").Contains(dataDirectory, StringComparison.Ordinal)
                || Link($"/proc/{pid}/cwd").Contains(dataDirectory, StringComparison.Ordinal);
            if (ours)
                yield return $"process {pid}: {Encoding.UTF8.GetString(command).Replace('\0', ' ')}";
        }
    }

    private static IEnumerable<string> Mounts(string dataDirectory) =>
        File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(dataDirectory, StringComparison.Ordinal)).Select(line => $"mount {line}");

    private static IEnumerable<string> Cgroups(IReadOnlyList<string> names)
    {
        if (!Directory.Exists("/sys/fs/cgroup"))
            return [];
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
        return Directory.EnumerateDirectories("/sys/fs/cgroup", "*", options)
            .Where(path => names.Any(name => Path.GetFileName(path).Contains(name, StringComparison.Ordinal)))
            .Select(path => $"cgroup {path}");
    }

    private static IEnumerable<string> Files(string dataDirectory)
    {
        IEnumerable<string> homes = [Path.Combine(dataDirectory, "sandboxes"), Path.Combine(dataDirectory, "checkpoints")];
        return homes.Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries).Select(path => $"file {path}");
    }

    private static IEnumerable<int> All()
    {
        foreach (string path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                yield return pid;
        }
    }

    private static bool IsDead(int pid)
    {
        string stat = Encoding.Latin1.GetString(Read($"/proc/{pid}/stat"));
        int end = stat.LastIndexOf(')');
        return end < 0 || stat.Length < end + 3 || stat[end + 2] is 'Z' or 'X';
    }

    private static string Link(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
