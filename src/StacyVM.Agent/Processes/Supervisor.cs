using System.Runtime.InteropServices;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>What a supervisor tells the agent.</summary>
internal enum SupervisorWord
{
    /// <summary>Value: the command's process id.</summary>
    Started = 1,

    /// <summary>Value: the stage in the high half, the error number in the low one.</summary>
    Failed = 2,

    /// <summary>Value: the command's wait status. Descendants live on.</summary>
    Exited = 3,

    /// <summary>Value: the command's wait status. Nothing of it is left: the supervisor's last word.</summary>
    ExitedLast = 4,

    /// <summary>Nothing is left any more: the supervisor's last word.</summary>
    Done = 5,
}

[StructLayout(LayoutKind.Sequential)]
internal struct SupervisorReport
{
    public SupervisorWord Word;
    public int Value;

    /// <summary>Processor time of all that has ended below the supervisor so far.</summary>
    public long CpuMicroseconds;
}

/// <summary>
/// The process between the agent and one command. It adopts every orphan below it, so whatever a command does with sessions and double
/// forks, its descendants stay in one subtree until the last has ended. A copy of the agent that touches next to nothing: only
/// <see cref="ForkCalls"/>, on pages that it shares with the agent until one of them writes.
/// </summary>
internal static unsafe class Supervisor
{
    private const int ReportDescriptor = 3;
    private const int AnyChild = 0, Exited = 4, NoHang = 1, LeaveWaitable = 0x1000000, AnyKind = 0x40000000;

    /// <summary>Forks a supervisor for the plan; its process id, or minus the error number. All signals must be blocked.</summary>
    internal static int Start(SpawnPlan* plan)
    {
        int pid = ForkCalls.Fork();
        if (pid == 0)
            Run(plan);
        return pid >= 0 ? pid : -*ForkCalls.ErrnoLocation();
    }

    private static void Run(SpawnPlan* plan)
    {
        // 1. It waits for children itself, unlike the agent, and keeps nothing open but its line to the agent.
        SignalAction standard = default;
        ForkCalls.SetSignalAction(Signals.Child, &standard, null);
        ForkCalls.ProcessControl(ProcessOptions.SetChildSubreaper, 1, 0, 0, 0);
        ForkCalls.Duplicate(plan->Input, 0);
        ForkCalls.Duplicate(plan->Output, 1);
        ForkCalls.Duplicate(plan->Error, 2);
        ForkCalls.Duplicate(plan->Report, ReportDescriptor);
        ForkCalls.Control(ReportDescriptor, 2, 1);
        CommandChild.CloseFrom(ReportDescriptor + 1);
        plan->Input = plan->Output = plan->Error = -1;

        // 2. The command. The standard streams are its alone, or their ends would never be seen.
        int command = CommandChild.Start(plan);
        ForkCalls.Close(0);
        ForkCalls.Close(1);
        ForkCalls.Close(2);
        if (command < 0)
        {
            plan->FailedStage = SpawnStage.Fork;
            plan->FailedErrno = -command;
        }
        if (plan->FailedStage != SpawnStage.None)
            Tell(SupervisorWord.Failed, (int)plan->FailedStage << 16 | plan->FailedErrno, 0);
        else
            Tell(SupervisorWord.Started, command, 0);

        // 3. Wait for everything that ever lands below.
        long cpu = 0;
        long* usage = stackalloc long[18];
        byte* ignored = stackalloc byte[128];
        while (true)
        {
            int status;
            int pid = ForkCalls.Wait(-1, &status, AnyKind, usage);
            if (pid < 0)
            {
                if (*ForkCalls.ErrnoLocation() == Errno.Interrupted)
                    continue;
                break;
            }
            cpu += (usage[0] + usage[2]) * 1_000_000 + usage[1] + usage[3];
            if (pid != command)
                continue;
            if (ForkCalls.Peek(AnyChild, 0, ignored, Exited | NoHang | LeaveWaitable | AnyKind) != 0)
            {
                Tell(SupervisorWord.ExitedLast, status, cpu);
                ForkCalls.Exit(0);
            }
            Tell(SupervisorWord.Exited, status, cpu);
        }
        Tell(SupervisorWord.Done, 0, cpu);
        ForkCalls.Exit(0);
    }

    private static void Tell(SupervisorWord word, int value, long cpu)
    {
        SupervisorReport report = new() { Word = word, Value = value, CpuMicroseconds = cpu };
        ForkCalls.Write(ReportDescriptor, &report, (nuint)sizeof(SupervisorReport));
    }
}
