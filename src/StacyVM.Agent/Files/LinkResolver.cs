using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Files;

/// <summary>Follows the symbolic links at the end of a path, so that what they name can be replaced instead of them.</summary>
internal static unsafe class LinkResolver
{
    private const int MostLinks = 40;

    internal static LinuxPath Resolve(LinuxPath path)
    {
        LinuxPath original = path;
        byte* target = stackalloc byte[4096];
        for (int i = 0; i < MostLinks; i++)
        {
            nint length;
            fixed (byte* p = path.Terminated)
                length = Libc.ReadLinkAt(At.WorkingDirectory, p, target, 4096);
            // Not a link, or not there: the operation itself finds out what is wrong.
            if (length < 0)
                return path;
            path = LinuxPath.Parse(new ReadOnlySpan<byte>(target, (int)length), path.Parent);
        }
        throw OperationFailure.Of(Errno.Loop, original.ToString());
    }
}
