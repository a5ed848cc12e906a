using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Guests;

/// <summary>Drivers that the kernel does not have built in.</summary>
internal static unsafe class KernelModules
{
    private const long LoadFromFile = 313;

    /// <summary>Loads those of a list, one file name a line, each after what it needs.</summary>
    internal static void Load(string list)
    {
        foreach (string path in Files(list))
        {
            fixed (byte* p = GuestFiles.Terminated(path), none = "\0"u8)
            {
                int file = Libc.OpenAt(At.WorkingDirectory, p, OpenFlags.ReadOnly | OpenFlags.CloseOnExec, 0);
                bool loaded = file >= 0 && Libc.SystemCall(LoadFromFile, file, (long)none, 0) == 0;
                if (!loaded && Errno.Last != Errno.Exists)
                    throw OperationFailure.Of(Errno.Last, "cannot load " + path);
                Libc.Close(file);
            }
        }
    }

    internal static IEnumerable<string> Files(string list) => GuestFiles.TryRead(list, out string text)
        ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(name => $"{Path.GetDirectoryName(list)}/{name}")
        : [];
}
