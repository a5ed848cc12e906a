using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>Starts planned processes.</summary>
internal static unsafe class Spawner
{
    private const int SetMask = 2;

    /// <summary>
    /// Starts the plan's supervisor, or its command itself where it has none. The process id, or minus the error number.
    /// </summary>
    /// <remarks>
    /// Signals are blocked over the fork: neither the runtime's own signals nor a guest's may run a handler in a child that cannot bear it.
    /// The method is never inlined, so that a return address which the garbage collector has changed is never used by the child.
    /// </remarks>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    internal static int Start(SpawnPlan* plan)
    {
        ulong all = ulong.MaxValue, previous = 0;
        ForkCalls.SystemCall(CallNumbers.SetSignalMask, SetMask, (long)&all, (long)&previous, 8);
        int pid = plan->Report >= 0 ? Supervisor.Start(plan) : CommandChild.Start(plan);
        ForkCalls.SystemCall(CallNumbers.SetSignalMask, SetMask, (long)&previous, 0, 8);
        return pid;
    }
}
