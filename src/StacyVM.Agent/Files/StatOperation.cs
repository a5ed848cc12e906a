using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

internal sealed class StatOperation(LinuxPath path) : IOperation
{
    public void Run(WorkChannel work)
    {
        int errno = FileStatusReader.Read(path, follow: true, out FileStatus status);
        if (errno != 0)
            throw OperationFailure.Of(errno, path.ToString());
        FileStatusReader.Write(work.Body, path.Bytes, status);
    }
}

internal sealed unsafe class ChmodOperation(LinuxPath path, uint mode) : IOperation
{
    public void Run(WorkChannel work)
    {
        if (mode > 0xFFF)
            throw new OperationFailure(AgentStatus.InvalidArgument, "a mode has 12 bits");
        fixed (byte* p = path.Terminated)
            if (Libc.ChangeModeAt(At.WorkingDirectory, p, mode, 0) != 0)
                throw OperationFailure.Of(Errno.Last, path.ToString());
    }
}
