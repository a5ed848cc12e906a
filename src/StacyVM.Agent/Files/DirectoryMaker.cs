using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

internal static unsafe class DirectoryMaker
{
    private const uint ParentMode = 0x1ED;

    internal static void MakeParents(LinuxPath path)
    {
        if (!path.IsRoot)
            Make(path.Parent, ParentMode, exact: false);
    }

    /// <summary>Makes a directory and its parents; one that is there is fine. With <paramref name="exact"/> a new one gets just that mode.</summary>
    internal static void Make(LinuxPath path, uint mode, bool exact)
    {
        var missing = new Stack<LinuxPath>();
        for (LinuxPath at = path; ; at = at.Parent)
        {
            int errno = FileStatusReader.Read(at, follow: true, out FileStatus status);
            if (errno == 0)
            {
                if (!status.IsDirectory)
                    throw OperationFailure.Of(Errno.NotDirectory, at.ToString());
                break;
            }
            if (errno != Errno.NoEntry)
                throw OperationFailure.Of(errno, at.ToString());
            missing.Push(at);
            if (at.IsRoot)
                break;
        }
        while (missing.TryPop(out LinuxPath next))
        {
            bool last = missing.Count == 0;
            fixed (byte* p = next.Terminated)
            {
                if (Libc.MakeDirectoryAt(At.WorkingDirectory, p, last ? mode : ParentMode) == 0)
                {
                    if (last && exact)
                        Libc.ChangeModeAt(At.WorkingDirectory, p, mode, 0);
                }
                // Someone else may have made it in between; a dangling link in its place is found by what follows.
                else if (Errno.Last != Errno.Exists)
                {
                    throw OperationFailure.Of(Errno.Last, next.ToString());
                }
            }
        }
    }
}

internal sealed class MakeDirectoryOperation(LinuxPath path, uint mode) : IOperation
{
    public void Run(WorkChannel work)
    {
        if (mode > 0xFFF)
            throw new OperationFailure(AgentStatus.InvalidArgument, "a mode has 12 bits");
        DirectoryMaker.Make(path, mode, exact: true);
    }
}
