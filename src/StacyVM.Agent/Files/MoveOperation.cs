using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>Renames; across file systems it copies to a hidden name beside the target, renames that, and deletes the source.</summary>
internal sealed unsafe class MoveOperation(LinuxPath from, LinuxPath to) : IOperation
{
    public void Run(WorkChannel work)
    {
        if (from.IsRoot || to.IsRoot)
            throw new OperationFailure(AgentStatus.InvalidArgument, "the root cannot be moved or replaced");
        int errno = FileStatusReader.Read(from, follow: false, out FileStatus source);
        if (errno != 0)
            throw OperationFailure.Of(errno, from.ToString());
        if (FileStatusReader.Read(to, follow: false, out FileStatus target) == 0)
        {
            if (source.SameAs(target) && from.Bytes.SequenceEqual(to.Bytes))
                return;
            if (target.IsDirectory)
                throw OperationFailure.Of(Errno.Exists, to.ToString());
        }
        else
        {
            DirectoryMaker.MakeParents(to);
        }
        errno = Rename(from, to);
        if (errno == Errno.CrossDevice)
            CopyAndDelete(work);
        else if (errno != 0)
            throw OperationFailure.Of(errno, from + " → " + to);
    }

    private static int Rename(LinuxPath from, LinuxPath to)
    {
        fixed (byte* a = from.Terminated, b = to.Terminated)
            return Libc.RenameAt(At.WorkingDirectory, a, At.WorkingDirectory, b) == 0 ? 0 : Errno.Last;
    }

    private void CopyAndDelete(WorkChannel work)
    {
        LinuxPath draft = TemporaryName.Beside(to);
        try
        {
            TreeCopy.Copy(from, draft, work);
            int errno = Rename(draft, to);
            if (errno != 0)
                throw OperationFailure.Of(errno, to.ToString());
        }
        catch (OperationFailure)
        {
            try
            {
                TreeDeletion.Delete(draft, recursive: true, work);
            }
            catch (OperationFailure)
            {
                // The first failure is the one to tell.
            }
            throw;
        }
        TreeDeletion.Delete(from, recursive: true, work);
    }
}
