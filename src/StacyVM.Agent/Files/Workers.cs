using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>
/// Threads for work that may block, each with a small stack. One that is idle waits a moment for the next job, then goes. They act on
/// files as the sandbox's user, so the kernel itself decides what the host may ask for.
/// </summary>
internal sealed class Workers(AgentOptions options)
{
    private const int StackBytes = 256 * 1024;
    private const int MostThreads = 256;
    private const int IdleMilliseconds = 2_000;
    private readonly Queue<Action> _jobs = new();
    private readonly object _gate = new();
    private int _threads, _idle;

    /// <summary>Runs the job, which must not throw, on a thread of its own.</summary>
    internal void Run(Action job)
    {
        lock (_gate)
        {
            if (_jobs.Count < _idle)
            {
                _jobs.Enqueue(job);
                Monitor.Pulse(_gate);
                return;
            }
            if (_threads == MostThreads)
                throw new OperationFailure(AgentStatus.ResourceLimit, "256 file operations run already");
            _threads++;
            _jobs.Enqueue(job);
        }
        new Thread(Work, StackBytes) { IsBackground = true }.UnsafeStart();
    }

    private void Work()
    {
        BecomeUser();
        while (true)
        {
            Action? job;
            lock (_gate)
            {
                if (!_jobs.TryDequeue(out job))
                {
                    _idle++;
                    Monitor.Wait(_gate, IdleMilliseconds);
                    _idle--;
                    if (!_jobs.TryDequeue(out job))
                    {
                        _threads--;
                        return;
                    }
                }
            }
            job();
        }
    }

    /// <summary>For this thread alone, which is what the raw calls do; without privileges they change nothing.</summary>
    private void BecomeUser()
    {
        if (options.User == StartProcessRequest.Inherit || Libc.GetEffectiveUser() != 0)
            return;
        Libc.SystemCall(CallNumbers.SetGroups, 0, 0, 0);
        Libc.SystemCall(CallNumbers.SetFileGroup, options.Group, 0, 0);
        Libc.SystemCall(CallNumbers.SetFileUser, options.User, 0, 0);
    }
}
