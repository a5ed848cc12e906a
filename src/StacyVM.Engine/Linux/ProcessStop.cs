using System.Globalization;
using System.Text;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Lets processes stand still by signal, where there is no freezer. What they had stopped themselves goes on, too, when they are continued; and who looks
/// can see it.
/// </summary>
internal static class ProcessStop
{
    /// <summary>Stops them, again and again, until all are seen standing: one that forks during a pass leaves a child that runs.</summary>
    /// <exception cref="TimeoutException">They do not stand; all are continued.</exception>
    public static async Task StopAsync(Func<IReadOnlyCollection<int>> processes, TimeSpan patience, CancellationToken cancellation)
    {
        long deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        try
        {
            // Seen standing twice: between the list and the look nothing can have been started by what stands.
            for (int quiet = 0; quiet < 2;)
            {
                bool moving = false;
                foreach (int pid in processes())
                {
                    if (Stands(pid))
                        continue;
                    moving = true;
                    _ = Libc.Kill(pid, Libc.SIGSTOP);
                }
                quiet = moving ? 0 : quiet + 1;
                if (!moving)
                    continue;
                if (Environment.TickCount64 > deadline)
                    throw new TimeoutException("its processes do not come to a standstill");
                await Task.Delay(1, cancellation).ConfigureAwait(false);
            }
        }
        catch
        {
            Continue(processes());
            throw;
        }
    }

    public static void Continue(IReadOnlyCollection<int> processes)
    {
        foreach (int pid in processes)
            _ = Libc.Kill(pid, Libc.SIGCONT);
    }

    /// <summary>Stopped, traced to a stop, or no longer there.</summary>
    private static bool Stands(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"), Encoding.Latin1);
            return stat[stat.LastIndexOf(')') + 2] is 'T' or 't' or 'Z' or 'X';
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
