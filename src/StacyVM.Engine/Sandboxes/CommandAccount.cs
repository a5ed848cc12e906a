using System.Globalization;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Store;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>What is told of one command, once: events, counter, audit row, and its log row where that is on.</summary>
internal sealed class CommandAccount(OperationJournal journal, StoreLimits limits, SandboxRecord sandbox, Caller caller, string operation, string command, string mode)
{
    private readonly long _start = journal.Start();
    private int _closed;

    public TimeSpan Elapsed => journal.Since(_start);

    public void Started() => journal.Publish("exec.started", sandbox);

    /// <summary>It ended by itself, whatever its exit code.</summary>
    public void Completed(int exitCode, BoundedOutput? stdout = null, BoundedOutput? stderr = null)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 1)
            return;
        string duration = GoDuration.Format(Elapsed);
        journal.Publish("exec.completed", sandbox);
        journal.Count(operation, sandbox.Provider, _start, null);
        journal.Audit(caller, "exec", sandbox, command, null, string.Create(CultureInfo.InvariantCulture, $"exit={exitCode} duration={duration} mode={mode}"));
        if (limits.ExecLogs)
        {
            journal.Log(new ExecLogRow(
                sandbox.Id, command, exitCode, stdout?.Head(limits.MaxExecLogBytes) ?? "", stderr?.Head(limits.MaxExecLogBytes) ?? "", duration, journal.Now));
        }
    }

    /// <summary>It could not be started, was killed, ran out of time, or its client went away.</summary>
    public void Failed(Exception error)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 1)
            return;
        journal.PublishFailure(operation, sandbox, error);
        journal.Count(operation, sandbox.Provider, _start, error);
        journal.Audit(caller, "exec", sandbox, command, error, $"duration={GoDuration.Format(Elapsed)} mode={mode}");
    }

    /// <summary>A process that outlives its client; its end is not told.</summary>
    public void LeftRunning(uint process)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 1)
            return;
        journal.Count(operation, sandbox.Provider, _start, null);
        journal.Audit(caller, "exec", sandbox, command, null, string.Create(CultureInfo.InvariantCulture, $"background process={process} mode={mode}"));
    }

    /// <summary>From how the sandbox says it ended.</summary>
    public void Ended(ExecExit exit, BoundedOutput? stdout = null, BoundedOutput? stderr = null)
    {
        if (exit.TimedOut)
            Failed(TimedOut(sandbox.Id));
        else if (exit.Killed)
            Failed(new StacyVMException(ProblemKind.Conflict, $"a command in {sandbox.Id} was killed by request"));
        else
            Completed(exit.Code, stdout, stderr);
    }

    public static StacyVMException TimedOut(string id) => new(ProblemKind.ExecTimeout, id);
}
