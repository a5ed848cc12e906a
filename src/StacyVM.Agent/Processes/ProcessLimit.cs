using System.Globalization;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>
/// The bound of processes for a sandbox whose host user has others, too. Set on the host it would count all of them; set in here, by the first process of
/// the sandbox's own user namespace, the kernel counts only those of that namespace (Linux 5.14).
/// </summary>
internal static unsafe class ProcessLimit
{
    private const int Processes = 6;

    internal static void Set(string most)
    {
        if (!ulong.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out ulong bound) || bound == 0)
            throw new OperationFailure(AgentStatus.InvalidArgument, "limited needs a number of processes");
        ulong* pair = stackalloc ulong[2] { bound, bound };
        if (Libc.SetLimit(Processes, pair) != 0)
            throw OperationFailure.Of(Errno.Last, "cannot bound the number of processes");
    }
}
