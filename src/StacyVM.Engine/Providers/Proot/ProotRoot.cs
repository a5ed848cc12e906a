using System.Globalization;
using StacyVM.Engine.Images;
using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>What a sandbox sees as its root, and what its programs find there.</summary>
internal abstract class ProotRoot(ProotFolder folder)
{
    /// <summary>Places in every root onto which something is bound.</summary>
    private static readonly string[] Points = ["dev", "dev/shm", "dev/pts", "proc", "run", "run/stacyvm", "tmp", "workspace"];

    /// <summary>Of the host's <c>/dev</c>, what holds nothing of the machine.</summary>
    private static readonly string[] Devices = ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts"];

    protected ProotFolder Folder => folder;

    /// <summary>Variables over those that every sandbox has.</summary>
    public abstract IEnumerable<KeyValuePair<string, string>> Environment { get; }

    public abstract string WorkingDirectory { get; }

    /// <summary>Bindings of its own: host path, and where it is seen.</summary>
    protected abstract IEnumerable<(string From, string To)> OwnBindings { get; }

    /// <summary>Options of proot for all that is not the root itself.</summary>
    public IEnumerable<string> Bindings(string agent)
    {
        (string From, string To)[] common =
        [
            ("/proc", "/proc"),
            .. Devices.Where(name => Path.Exists("/dev/" + name)).Select(name => ("/dev/" + name, "/dev/" + name)),
            (folder.SharedMemory, "/dev/shm"), (folder.Temporary, "/tmp"), (folder.Workspace, "/workspace"),
            (folder.Agent, "/run/stacyvm"), (agent, "/run/stacyvm-agent"),
        ];
        return OwnBindings.Concat(common).SelectMany(binding => new[] { "-b", $"{binding.From}:{binding.To}" });
    }

    /// <summary>Makes it.</summary>
    public abstract void Make(CancellationToken cancellation);

    protected static void Finish(TreeWriter tree)
    {
        foreach (string point in Points)
            tree.MakeDirectory(point, 0x1ED);
        using (tree.CreateFile("run/stacyvm-agent", 0x1ED))
        {
        }
        foreach ((string name, string target) in new[] { ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2") })
            tree.MakeLink("dev/" + name, target);
    }
}

/// <summary>This machine's own programs and libraries, as they are: what keeps them from being written to is that they are root's.</summary>
internal sealed class HostRoot(ProotFolder folder, string etc, uint user) : ProotRoot(folder)
{
    public override IEnumerable<KeyValuePair<string, string>> Environment { get; } =
        [new("HOME", "/workspace"), new("USER", "sandbox"), new("LOGNAME", "sandbox"), new("SHELL", HostImage.Shell)];

    public override string WorkingDirectory => "/workspace";

    protected override IEnumerable<(string From, string To)> OwnBindings =>
        [.. HostImage.Directories().Where(directory => directory.LinkTarget is null).Select(directory => (directory.Path, directory.Path)), (etc, "/etc")];

    public override void Make(CancellationToken cancellation)
    {
        Folder.Small("passwd", HostImage.Users(user));
        Folder.Small("group", HostImage.Groups(user));
        using var tree = new TreeWriter(Folder.Root);
        foreach (HostDirectory directory in HostImage.Directories())
        {
            if (directory.LinkTarget is { } target)
                tree.MakeLink(directory.Path[1..], target);
            else
                tree.MakeDirectory(directory.Path[1..], 0x1ED);
        }
        foreach (string name in (string[])["etc", "var", "root", "sys"])
            tree.MakeDirectory(name, 0x1ED);
        tree.MakeLink("var/tmp", "../tmp");
        tree.MakeLink("var/run", "../run");
        Finish(tree);
    }
}

/// <summary>A copy of an image: nothing can be mounted here, and everything in it belongs to the sandbox.</summary>
internal sealed class CopiedRoot : ProotRoot
{
    private readonly IReadOnlyList<string> _layers;
    private readonly ImageFileReader _files;
    private readonly ImageUser _user;
    private readonly ImageSurroundings _surroundings;
    private readonly uint? _owner;
    private readonly uint _host;

    /// <param name="folder">Of the sandbox.</param>
    /// <param name="image">In the store.</param>
    /// <param name="layers">Uppermost first.</param>
    /// <param name="host">Host user of the sandbox.</param>
    /// <param name="privileged">The server is root: all of it is given to that user.</param>
    public CopiedRoot(ProotFolder folder, StoredImage image, IReadOnlyList<string> layers, uint host, bool privileged) : base(folder)
    {
        _layers = layers;
        _files = new ImageFileReader(layers);
        // Its programs run as the sandbox's host user, whatever it is called in the image: ids cannot be changed here.
        _user = ImageUser.Of(image, _files) with { Id = host, Group = host };
        _surroundings = new ImageSurroundings(image, _files, _user);
        (_owner, _host) = (privileged ? host : null, host);
    }

    public override IEnumerable<KeyValuePair<string, string>> Environment => _surroundings.Environment;

    public override string WorkingDirectory => _surroundings.WorkingDirectory;

    protected override IEnumerable<(string From, string To)> OwnBindings => [];

    public override void Make(CancellationToken cancellation)
    {
        new MergedCopy(_owner).Run(_layers, Folder.Root, cancellation);
        using var tree = new TreeWriter(Folder.Root);
        Write(tree, "passwd", _user.Passwd(_files, _surroundings.Home, ImageSurroundings.Shell));
        Write(tree, "group", _user.Groups(_files));
        Write(tree, "hostname", File.ReadAllText(Path.Combine(Folder.Agent, "hostname")));
        Write(tree, "hosts", File.ReadAllText(Path.Combine(Folder.Agent, "hosts")));
        Write(tree, "resolv.conf", "");
        if (WorkingDirectory != ImageSurroundings.Workspace)
            tree.MakeDirectory(WorkingDirectory[1..], 0x1ED);
        Finish(tree);
        if (_owner is { } user && Libc.ChangeOwner(Folder.Root, user, user) != 0)
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"cannot give {Folder.Root} to user {_host}: {Libc.LastError()}"), Libc.Error);
        // Closed to sandboxes of other users: what an image holds may be private.
        if (Libc.ChangeMode(Folder.Root, 0x1C0) != 0)
            throw new IOException($"cannot change the mode of {Folder.Root}: {Libc.LastError()}", Libc.Error);
    }

    private static void Write(TreeWriter tree, string name, string content)
    {
        using FileStream file = tree.CreateFile("etc/" + name, 0x1A4);
        file.Write(System.Text.Encoding.UTF8.GetBytes(content));
    }
}
