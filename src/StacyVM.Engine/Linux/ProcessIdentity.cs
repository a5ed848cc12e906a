using System.Globalization;
using System.Text;

namespace StacyVM.Engine.Linux;

/// <summary>
/// A process of this host for good: its number together with when it started, so that a number that the kernel has given away again is
/// never taken for it.
/// </summary>
/// <param name="Pid">Host process id; 0 for none.</param>
/// <param name="StartTicks">Field 22 of <c>/proc/PID/stat</c>: clock ticks after boot.</param>
internal readonly record struct ProcessIdentity(int Pid, ulong StartTicks)
{
    /// <summary>This boot of the kernel; start times of another boot mean nothing.</summary>
    public static string BootId { get; } = ReadText("/proc/sys/kernel/random/boot_id");

    /// <summary>The process that has this number now; null when none has, or only a zombie is left of it.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        if (pid <= 0)
            return null;
        string stat;
        try
        {
            stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"), Encoding.Latin1);
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
        // The name, in parentheses, may itself hold spaces and parentheses: fields are counted from its end.
        ReadOnlySpan<char> rest = stat.AsSpan(stat.LastIndexOf(')') + 2);
        if (rest.IsEmpty || rest[0] is 'Z' or 'X')
            return null;
        int field = 3;
        foreach (Range range in rest.Split(' '))
        {
            if (field++ == 22)
                return ulong.TryParse(rest[range], CultureInfo.InvariantCulture, out ulong start) ? new ProcessIdentity(pid, start) : null;
        }
        return null;
    }

    /// <summary>True while exactly this process runs.</summary>
    public bool IsAlive => Pid > 0 && Of(Pid) is { } now && now == this;

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
