using System.Globalization;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers;

/// <summary>
/// A sandbox's own copy-on-write root of an image: the layers, which all sandboxes share and none can change, below a directory of its own. It is
/// mounted by the agent's program on the way to the one that builds the wall, in a namespace that ends with the sandbox.
/// </summary>
/// <param name="image">In the store.</param>
/// <param name="layers">Its layers, uppermost first.</param>
/// <param name="folder">Directory in which its parts are made; only the sandbox's level has it.</param>
/// <param name="owner">Host user of the sandbox; null: the level has no users of its own, and the image's user owns the root.</param>
/// <param name="privileged">The server is root: what belongs to the sandbox is given to that user.</param>
internal sealed class ImageRoot(StoredImage image, IReadOnlyList<string> layers, string folder, uint? owner, bool privileged)
{
    /// <summary>Part of util-linux: makes the namespaces that only root makes without one.</summary>
    private const string Unsharer = "/usr/bin/unshare";

    /// <summary>Name of the directory of what the sandbox has changed.</summary>
    public const string UpperName = "upper";

    /// <summary>Names in the root on which the wall mounts.</summary>
    private const string MountPoints = "dev,proc,run,sys,tmp,workspace";

    private readonly ImageFileReader _files = new(layers);

    public string Title => image.Title;

    public ImageUser User { get; } = ImageUser.Of(image, new ImageFileReader(layers));

    private string Upper => Path.Combine(folder, UpperName);

    private uint Owner => owner ?? User.Id;

    /// <summary>Makes its directories, with the few files that differ from sandbox to sandbox; or gives a new identity to what was saved of another.</summary>
    public void Make(string id)
    {
        bool restored = Directory.Exists(Upper);
        if (!restored)
            MakeDirectory(Upper, owned: true);
        // The kernel's own, and the points on which is mounted.
        foreach (string name in (string[])["work", "root", "layers"])
            MakeDirectory(Path.Combine(folder, name), owned: false);
        if (restored)
        {
            new RestoredIdentity(Upper, privileged ? Owner : null).Renew(id);
            return;
        }
        using (var tree = new TreeWriter(Upper))
        {
            tree.MakeDirectory("etc", 0x1ED);
            if (Surroundings.WorkingDirectory is not ImageSurroundings.Workspace and var start && !_files.HasDirectory(start[1..]))
                tree.MakeDirectory(start[1..], 0x1ED);
        }
        Write("passwd", User.Passwd(_files, Surroundings.Home, ImageSurroundings.Shell));
        Write("group", User.Groups(_files));
        Write("hostname", id + "\n");
        Write("hosts", $"127.0.0.1 localhost {id}\n::1 localhost ip6-localhost {id}\n");
        Write("resolv.conf", "");
        if (privileged)
            OwnAll(Upper);
    }

    /// <summary>What the launcher starts before the program that builds the wall; it goes on as the owner, or as root where there are no users.</summary>
    /// <param name="agentProgram">The agent's program on the host.</param>
    /// <param name="layersDirectory">Of the store.</param>
    public IReadOnlyList<string> Stage(string agentProgram, string layersDirectory) =>
    [
        .. privileged ? [] : new[] { Unsharer, "--user", "--map-current-user", "--keep-caps", "--mount", "--" },
        agentProgram, "stage", layersDirectory, string.Join(':', layers.Select(Path.GetFileName)), folder,
        privileged ? string.Create(CultureInfo.InvariantCulture, $"{(owner is null ? "=" : "")}{Owner}") : "-", MountPoints, "--",
    ];

    /// <summary>Where the root is mounted; bound as the sandbox's own.</summary>
    public string Mounted => Path.Combine(folder, "root");

    /// <summary>What its programs find.</summary>
    public ImageSurroundings Surroundings => field ??= new ImageSurroundings(image, _files, User);

    private void Write(string name, string content)
    {
        using var tree = new TreeWriter(Upper);
        using FileStream file = tree.CreateFile("etc/" + name, 0x1A4);
        file.Write(System.Text.Encoding.UTF8.GetBytes(content));
    }

    private void MakeDirectory(string path, bool owned)
    {
        if (Libc.MakeDirectory(path, 0x1ED) != 0 || Libc.ChangeMode(path, 0x1ED) != 0 || (owned && privileged && Libc.ChangeOwner(path, Owner, Owner) != 0))
            throw new IOException($"cannot make {path}: {Libc.LastError()}", Libc.Error);
    }

    /// <summary>Nobody else has seen these yet.</summary>
    private void OwnAll(string directory)
    {
        foreach (string path in Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories))
        {
            if (Libc.ChangeOwner(path, Owner, Owner) != 0)
                throw new IOException($"cannot give {path} to user {Owner}: {Libc.LastError()}", Libc.Error);
        }
    }
}
