using System.Globalization;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// The workspace of one sandbox against its bound. Beyond it the sandbox's processes may write no more: the kernel refuses them as it does
/// where a file is too large. What that does not stop, files without content and holes that are filled, ends the sandbox at twice the bound.
/// </summary>
internal sealed class WatchedWorkspace(string id, BubblewrapState state, SandboxFolder folder, CgroupTree cgroups, bool shared)
{
    private const long Mebibyte = 1024 * 1024;

    /// <summary>One pass may miss what forks during it; what forks after it inherits.</summary>
    private const int Passes = 5;

    /// <summary>Looks, half a minute and more of them, for which a tree that is too deep or too closed to be measured may only not be written to.</summary>
    private const int PatientLooks = 60;

    private readonly long _bound = state.DiskMb * Mebibyte;
    private TimeSpan? _cpuTime;
    private bool _closed;
    private bool _ended;
    private int _hidden;

    public string Id => id;

    public bool IsBounded => _bound > 0;

    /// <summary>It is beyond its bound: that it is within again has to be noticed.</summary>
    public bool IsClosed => _closed && !_ended;

    /// <summary>Whether something may have changed since the last look: who has not run has not written.</summary>
    public bool IsDue()
    {
        if (_ended)
            return false;
        TimeSpan? cpuTime = cgroups.Usage(id).CpuTime;
        bool due = _closed || cpuTime is null || cpuTime != _cpuTime;
        _cpuTime = cpuTime;
        return due;
    }

    /// <summary>Measures it and does what follows.</summary>
    /// <exception cref="IOException">It cannot be measured.</exception>
    public void Look(ILogger log)
    {
        (long used, bool hides) = TreeUsage.Measure(folder.Workspace, 2 * _bound);
        if (Directory.Exists(folder.Upper))
        {
            (long changed, bool closed) = TreeUsage.Measure(folder.Upper, 2 * _bound);
            (used, hides) = (used + changed, hides || closed);
        }
        _hidden = hides ? _hidden + 1 : 0;
        if (used > 2 * _bound)
            End(log, string.Create(CultureInfo.InvariantCulture, $"its workspace held more than twice its {state.DiskMb} MiB of disk, so it was ended"));
        else if (_hidden > PatientLooks)
            End(log, "its workspace had directories that could not be looked into, for being too deep or unreadable, so it was ended");
        else if (used > _bound || hides)
        {
            // Again at each look: a process may have taken its limit back.
            Limit(0);
            if (!_closed)
                BubblewrapLog.DiskClosed(log, id, used / Mebibyte, state.DiskMb);
            _closed = true;
        }
        else if (_closed)
        {
            Limit((ulong)_bound);
            BubblewrapLog.DiskOpened(log, id, state.DiskMb);
            _closed = false;
        }
    }

    /// <summary>
    /// Limits of another user's processes are for those to change who have CAP_SYS_RESOURCE, which a server in a container has not, or the same
    /// real user: a thread takes that on, and ends with it.
    /// </summary>
    private void Limit(ulong size)
    {
        var worker = new Thread(() =>
        {
            if (shared || Libc.BecomeReally(state.UserId))
                LimitAll(size);
        });
        worker.Start();
        worker.Join();
    }

    private void LimitAll(ulong size)
    {
        string? inside = PidNamespace(state.Pid);
        for (int pass = 0; pass < Passes && inside is not null; pass++)
        {
            bool changed = false;
            foreach (int pid in cgroups.Any ? cgroups.Processes(id) : ProcessScan.Find(id, folder.Agent))
            {
                // Not bwrap itself, which waits outside and writes down how the sandbox ends.
                if (PidNamespace(pid) == inside)
                    changed |= Libc.SetSoftLimit(pid, Libc.RLIMIT_FSIZE, size);
            }
            if (!changed)
                return;
        }
    }

    private void End(ILogger log, string reason)
    {
        folder.NoteEnding(reason);
        using (var first = Libc.OpenProcess(state.Pid))
        {
            if (state.Process.IsAlive)
                _ = Libc.SignalProcess(first, Libc.SIGKILL);
        }
        _ended = true;
        BubblewrapLog.DiskEnded(log, id, reason);
    }

    private static string? PidNamespace(int pid)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/pid")).LinkTarget;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
