using System.Globalization;

namespace StacyVM.Engine.Linux;

/// <summary>Which process has a file open, as far as this user may see.</summary>
internal static class OpenFiles
{
    /// <summary>A process, other than this one, that has the file open; null when none is seen.</summary>
    public static int? HolderOf(string path)
    {
        string full = Path.GetFullPath(path);
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(process.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && pid != Environment.ProcessId && Has(process, full))
                return pid;
        }
        return null;
    }

    private static bool Has(string process, string path)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(process, "fd")).Any(descriptor => new FileInfo(descriptor).LinkTarget == path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is another user's.
            return false;
        }
    }
}
