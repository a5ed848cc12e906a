using System.Globalization;
using System.Text;

namespace StacyVM.Engine.Linux;

/// <summary>Finds processes of sandboxes in <c>/proc</c>, for when nothing that was written down leads to them.</summary>
internal static class ProcessScan
{
    /// <summary>True when the process has the workspace of that sandbox mounted, which only processes in it have.</summary>
    public static bool IsInside(int pid, string sandbox)
    {
        string wanted = $"/sandboxes/{sandbox}/workspace /workspace ";
        string removed = $"/sandboxes/{sandbox}/workspace//deleted /workspace ";
        string mounts = Read(pid, "mountinfo");
        return mounts.Contains(wanted, StringComparison.Ordinal) || mounts.Contains(removed, StringComparison.Ordinal);
    }

    /// <summary>Processes that are inside a sandbox, or whose command line names a path (the ones that are still building the wall).</summary>
    public static IEnumerable<int> Find(string sandbox, string argument)
    {
        foreach (int pid in All())
        {
            if (HasArgument(pid, argument) || IsInside(pid, sandbox))
                yield return pid;
        }
    }

    /// <summary>Arguments that begin with a prefix, of all processes.</summary>
    public static IEnumerable<string> Arguments(string prefix)
    {
        foreach (int pid in All())
        {
            foreach (string argument in Read(pid, "cmdline").Split('\0'))
            {
                if (argument.StartsWith(prefix, StringComparison.Ordinal))
                    yield return argument;
            }
        }
    }

    /// <summary>Processes one of whose arguments is a path, or sets an option to it.</summary>
    public static IEnumerable<int> Naming(string path) => All().Where(pid => Read(pid, "cmdline").Split('\0').Any(argument => argument == path || argument.EndsWith("=" + path, StringComparison.Ordinal)));

    public static bool HasArgument(int pid, string argument) => Read(pid, "cmdline").Split('\0').Contains(argument);

    private static IEnumerable<int> All()
    {
        foreach (string path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid != Environment.ProcessId)
                yield return pid;
        }
    }

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}"), Encoding.UTF8);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is another user's.
            return "";
        }
    }
}
