using System.Globalization;
using System.Text;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Roots;

/// <summary>
/// Between the launcher and the program that builds a wall: gives that program a copy-on-write root of an image, in a mount namespace of its own,
/// so that no mount is ever seen on the host and all of them end with the sandbox. Then it is that program.
/// </summary>
internal static unsafe class RootStage
{
    private const int NewMountNamespace = 0x20000;
    private const nuint Recursive = 0x4000, Private = 0x40000, NoSuid = 2, NoDevices = 4;

    /// <summary>The kernel's own bound of layers in one overlay.</summary>
    private const int MostLayers = 500;

    /// <summary>So many digests surely fit into the options.</summary>
    private const int MostLongNames = 48;

    private const uint UnprivilegedTail = uint.MaxValue;

    /// <summary>
    /// 1 a mount namespace, 2 the layers as the sandbox's user owns them, 3 the overlay, 4 that user, 5 directories that will be mounted on, 6 the program.
    /// Does not return when it succeeds.
    /// </summary>
    internal static void Run(RootStageOptions options)
    {
        // 1. Nothing of it reaches the host's own namespace. Rootless, the caller has made both namespaces already.
        if (Libc.Unshare(NewMountNamespace) != 0)
            throw OperationFailure.Of(Errno.Last, "cannot make a mount namespace");
        Mount(null, "/", null, Recursive | Private, null);

        // 2. and 3.
        string layers = options.Layers;
        if (options.User != UnprivilegedTail)
            layers = OwnedLayers.Attach(options.Layers, Path.Combine(options.Folder, "layers"), options.User);
        if (options.LayerNames.Length > MostLayers)
            throw new OperationFailure(AgentStatus.Unsupported, $"the image has {options.LayerNames.Length} layers; an overlay takes {MostLayers}");
        string folder = options.Folder;
        string root = folder + "/root";
        string[] names = options.LayerNames;
        ChangeDirectory(layers);
        // Relative names, since the kernel takes one page of options; for an image of many layers even those are shortened.
        if (names.Length > MostLongNames)
            names = ShortNames(layers, names, root);
        string overlay = $"lowerdir={string.Join(':', names)},upperdir={folder}/upper,workdir={folder}/work,userxattr";
        Mount("overlay", root, "overlay", NoSuid | NoDevices, overlay);
        ChangeDirectory("/");

        // 4. The sandbox's user, and no privilege is left; a program that builds a wall without users drops them itself.
        if (options.User != UnprivilegedTail && !options.StaysRoot)
            BecomeUser(options.User);
        else if (options.User == UnprivilegedTail)
            Libc.ProcessControl(ProcessOptions.AmbientCapabilities, ProcessOptions.ClearAmbient, 0, 0, 0);

        // 5. An image may have links in their place, which must not lead whoever mounts there elsewhere.
        foreach (string name in options.Directories)
            MakeDirectory(root + "/" + name);

        // 6.
        Execute(options.Command);
    }

    /// <summary>Links to the layers in a file system that the overlay then covers; the working directory is there.</summary>
    private static string[] ShortNames(string layers, string[] names, string place)
    {
        Mount("tmpfs", place, "tmpfs", NoSuid | NoDevices, "size=1m");
        ChangeDirectory(place);
        string[] links = new string[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            links[i] = i.ToString(CultureInfo.InvariantCulture);
            fixed (byte* target = Terminated(layers + "/" + names[i]), link = Terminated(links[i]))
            {
                if (Libc.SystemCall(CallNumbers.SymbolicLinkAt, (long)target, At.WorkingDirectory, (long)link) != 0)
                    throw OperationFailure.Of(Errno.Last, links[i]);
            }
        }
        return links;
    }

    private static void Mount(string? source, string target, string? type, nuint flags, string? data)
    {
        fixed (byte* s = Terminated(source), t = Terminated(target), k = Terminated(type), d = Terminated(data))
        {
            if (Libc.Mount(s, t, k, flags, d) != 0)
                throw OperationFailure.Of(Errno.Last, $"cannot mount {type ?? "a private tree"} on {target}");
        }
    }

    private static void BecomeUser(uint user)
    {
        bool became = Libc.SystemCall(CallNumbers.SetGroups, 0, 0, 0) == 0
            && Libc.SystemCall(CallNumbers.SetGroup, user, 0, 0) == 0
            && Libc.SystemCall(CallNumbers.SetUser, user, 0, 0) == 0;
        if (!became)
            throw OperationFailure.Of(Errno.Last, $"cannot become user {user}");
    }

    private static void MakeDirectory(string path)
    {
        fixed (byte* p = Terminated(path))
        {
            FileStatus status;
            if (Libc.StatusAt(At.WorkingDirectory, p, At.NoFollow, At.BasicStatus, &status) == 0)
            {
                if (status.IsDirectory)
                    return;
                Libc.UnlinkAt(At.WorkingDirectory, p, 0);
            }
            if (Libc.MakeDirectoryAt(At.WorkingDirectory, p, 0x1ED) != 0)
                throw OperationFailure.Of(Errno.Last, $"cannot make {path}");
        }
    }

    private static void ChangeDirectory(string path)
    {
        fixed (byte* p = Terminated(path))
        {
            if (ForkCalls.ChangeDirectory(p) != 0)
                throw OperationFailure.Of(*ForkCalls.ErrnoLocation(), path);
        }
    }

    private static void Execute(string[] command)
    {
        byte** arguments = stackalloc byte*[command.Length + 1];
        var held = new System.Runtime.InteropServices.GCHandle[command.Length];
        for (int i = 0; i < command.Length; i++)
        {
            held[i] = System.Runtime.InteropServices.GCHandle.Alloc(Terminated(command[i]), System.Runtime.InteropServices.GCHandleType.Pinned);
            arguments[i] = (byte*)held[i].AddrOfPinnedObject();
        }
        arguments[command.Length] = null;
        ForkCalls.Execute(arguments[0], arguments, Libc.GetEnvironment());
        throw OperationFailure.Of(*ForkCalls.ErrnoLocation(), command[0]);
    }

    internal static byte[]? Terminated(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text + "\0");
}
