using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Tells when processes end that are not our children, without polling: one thread waits on all their descriptors.
/// </summary>
internal static class ProcessExits
{
    // struct epoll_event is packed on x86-64 only.
    private static readonly int EventSize =
        System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? 12 : 16;

    private static readonly ConcurrentDictionary<long, TaskCompletionSource> Waiting = new();
    private static readonly Lazy<SafeFileHandle> Epoll = new(Start);
    private static long _last;

    /// <summary>Kills a process and completes when it has ended, with everything in its PID namespace if it is the first process of one.</summary>
    public static async Task KillAsync(ProcessIdentity process, TimeSpan patience)
    {
        using SafeFileHandle? open = Open(process);
        if (open is null)
            return;
        _ = Libc.SignalProcess(open, Libc.SIGKILL);
        await WaitAsync(open, patience).ConfigureAwait(false);
    }

    /// <summary>Completes when the process has ended.</summary>
    /// <exception cref="TimeoutException">It runs on.</exception>
    public static async Task WaitAsync(ProcessIdentity process, TimeSpan patience)
    {
        using SafeFileHandle? open = Open(process);
        if (open is not null)
            await WaitAsync(open, patience).ConfigureAwait(false);
    }

    private static SafeFileHandle? Open(ProcessIdentity process)
    {
        SafeFileHandle open = Libc.OpenProcess(process.Pid);
        // Looked at after it was opened: the descriptor is that of the process which is alive now under the number.
        if (!open.IsInvalid && process.IsAlive)
            return open;
        open.Dispose();
        return null;
    }

    private static async Task WaitAsync(SafeFileHandle process, TimeSpan patience)
    {
        long ticket = Interlocked.Increment(ref _last);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Waiting[ticket] = ended;
        try
        {
            if (Control(Libc.EPOLL_CTL_ADD, process, ticket) != 0)
                throw new IOException($"cannot wait for a process to end: {Libc.LastError()}");
            await ended.Task.WaitAsync(patience).ConfigureAwait(false);
        }
        finally
        {
            _ = Control(Libc.EPOLL_CTL_DEL, process, ticket);
            Waiting.TryRemove(ticket, out _);
        }
    }

    // Safe: the buffer lives on this stack for the length of the call and is as large as the largest layout of the structure.
    private static unsafe int Control(int operation, SafeFileHandle process, long ticket)
    {
        byte* record = stackalloc byte[16];
        *(uint*)record = Libc.EPOLLIN | Libc.EPOLLONESHOT;
        *(long*)(record + EventSize - 8) = ticket;
        return Libc.EpollControl(Epoll.Value, operation, process, record);
    }

    private static SafeFileHandle Start()
    {
        SafeFileHandle epoll = Libc.EpollCreate(Libc.O_CLOEXEC);
        if (epoll.IsInvalid)
            throw new IOException($"epoll_create1: {Libc.LastError()}");
        new Thread(() => Run(epoll)) { IsBackground = true, Name = "process exits" }.Start();
        return epoll;
    }

    // Safe: the kernel writes at most as many records as the buffer holds.
    private static unsafe void Run(SafeFileHandle epoll)
    {
        const int Most = 64;
        byte* events = stackalloc byte[Most * 16];
        while (true)
        {
            int count = Libc.EpollWait(epoll, events, Most, -1);
            for (int i = 0; i < count; i++)
            {
                if (Waiting.TryRemove(*(long*)(events + (i * EventSize) + EventSize - 8), out TaskCompletionSource? ended))
                    ended.TrySetResult();
            }
        }
    }
}
