using System.Globalization;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Roots;

/// <summary>
/// The layers of images, whose files belong to root, seen as if they belonged to a sandbox's own user: an id-mapped mount, so that nothing is copied
/// or changed and every sandbox owns its whole root. Linux 5.12 for the mount, 5.19 for overlays of it.
/// </summary>
internal static unsafe class OwnedLayers
{
    private const int NewUserNamespace = 0x10000000;
    private const int StackBytes = 64 * 1024;
    private const long OpenTree = 428, MoveMount = 429, SetMountAttributes = 442;
    private const long CloneTree = 1, TreeCloseOnExec = 0x80000, FromEmptyPath = 4;
    private const ulong IdMapped = 0x00100000;

    /// <returns>Where the layers are now.</returns>
    internal static string Attach(string layers, string target, uint user)
    {
        int names = UserNamespace(user);
        fixed (byte* from = RootStage.Terminated(layers), to = RootStage.Terminated(target), empty = "\0"u8)
        {
            int tree = (int)Libc.SystemCall6(OpenTree, At.WorkingDirectory, (long)from, CloneTree | TreeCloseOnExec, 0, 0, 0);
            if (tree < 0)
                throw OperationFailure.Of(Errno.Last, layers);
            MountAttributes attributes = new() { Set = IdMapped, UserNamespace = (ulong)names };
            if (Libc.SystemCall6(SetMountAttributes, tree, (long)empty, At.EmptyPath, (long)&attributes, sizeof(MountAttributes), 0) != 0)
                throw OperationFailure.Of(Errno.Last, "this kernel or file system cannot map the owners of an image (id-mapped mounts)");
            if (Libc.SystemCall6(MoveMount, tree, (long)empty, At.WorkingDirectory, (long)to, FromEmptyPath, 0) != 0)
                throw OperationFailure.Of(Errno.Last, target);
            Libc.Close(tree);
            Libc.Close(names);
        }
        return target;
    }

    /// <summary>A user namespace in which root is the sandbox's user: made by a child that waits in it until it is open here.</summary>
    private static int UserNamespace(uint user)
    {
        (int read, int write) = Descriptor.Pipe();
        void* stack = System.Runtime.InteropServices.NativeMemory.AlignedAlloc(StackBytes, 16);
        delegate*<int*, int> entry = &WaitForEnd;
        int* pair = stackalloc int[2];
        (pair[0], pair[1]) = (read, write);
        int child = ForkCalls.Clone(entry, (byte*)stack + StackBytes, NewUserNamespace | Signals.Child, pair);
        if (child < 0)
            throw OperationFailure.Of(*ForkCalls.ErrnoLocation(), "cannot make a user namespace");
        string process = "/proc/" + child.ToString(CultureInfo.InvariantCulture);
        string map = string.Create(CultureInfo.InvariantCulture, $"0 {user} 1");
        Write(process + "/uid_map", map);
        Write(process + "/gid_map", map);
        int names;
        fixed (byte* path = RootStage.Terminated(process + "/ns/user"))
            names = Libc.OpenAt(At.WorkingDirectory, path, OpenFlags.ReadOnly | OpenFlags.CloseOnExec, 0);
        int reason = Errno.Last;
        Libc.Close(read);
        Libc.Close(write);
        int status;
        ForkCalls.Wait(child, &status, 0, null);
        System.Runtime.InteropServices.NativeMemory.AlignedFree(stack);
        return names >= 0 ? names : throw OperationFailure.Of(reason, process + "/ns/user");
    }

    /// <summary>The child: a copy of this process in which only this runs. Plain calls, no allocation.</summary>
    private static int WaitForEnd(int* pair)
    {
        ForkCalls.Close(pair[1]);
        byte nothing;
        ForkCalls.SystemCall(CallNumbers.Read, pair[0], (long)&nothing, 1, 0);
        ForkCalls.Exit(0);
        return 0;
    }

    private static void Write(string path, string text)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(text);
        fixed (byte* p = RootStage.Terminated(path), b = bytes)
        {
            int file = Libc.OpenAt(At.WorkingDirectory, p, OpenFlags.WriteOnly | OpenFlags.CloseOnExec, 0);
            if (file < 0 || Libc.Write(file, b, (nuint)bytes.Length) != bytes.Length)
                throw OperationFailure.Of(Errno.Last, path);
            Libc.Close(file);
        }
    }

    /// <summary>struct mount_attr of mount_setattr(2).</summary>
    private struct MountAttributes
    {
        public ulong Set, Clear, Propagation, UserNamespace;
    }
}
