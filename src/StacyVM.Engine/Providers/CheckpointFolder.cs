using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol;

namespace StacyVM.Engine.Providers;

/// <summary>
/// The directory of one checkpoint on this machine. It is filled under a name that tells whose it is and takes its own by one rename, so that it is there
/// whole or not at all; a file with the provider's name marks it. A file <c>image</c> in it keeps that image from being removed.
/// </summary>
internal sealed class CheckpointFolder
{
    private const uint OwnerOnly = 0x1C0;

    private readonly string _provider;

    /// <param name="host">Data directory.</param>
    /// <param name="provider">Whose.</param>
    /// <param name="checkpoint">Its id.</param>
    public CheckpointFolder(AgentHost host, string provider, string checkpoint)
    {
        // The id becomes a path on the host: this is the last gate, whatever was checked before.
        if (!SandboxId.IsSafe(checkpoint))
            throw new ArgumentException("not a checkpoint id", nameof(checkpoint));
        _provider = provider;
        Path = System.IO.Path.Combine(Home(host), checkpoint);
        Draft = System.IO.Path.Combine(Home(host), Prefix(provider) + checkpoint);
    }

    public string Path { get; }

    /// <summary>Where it is filled.</summary>
    public string Draft { get; }

    public bool Exists => File.Exists(Marker(Path, _provider));

    /// <summary>What the provider has noted in it.</summary>
    public byte[] ReadMarker() => File.ReadAllBytes(Marker(Path, _provider));

    /// <summary>Makes an empty draft in place of whatever an earlier attempt left.</summary>
    public void Begin()
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Remove();
        if (Libc.MakeDirectory(Draft, OwnerOnly) != 0)
            throw new IOException($"cannot make {Draft}: {Libc.LastError()}", Libc.Error);
    }

    /// <summary>The last step.</summary>
    public void Commit(ReadOnlySpan<byte> marker)
    {
        File.WriteAllBytes(Marker(Draft, _provider), marker);
        if (Libc.Rename(Draft, Path) != 0)
            throw new IOException($"cannot rename {Draft}: {Libc.LastError()}", Libc.Error);
    }

    /// <summary>It gives its name up by one rename, too: a removal that is cut off is found again as one that was never finished.</summary>
    public void Remove()
    {
        TreeRemoval.Remove(Draft);
        if (!Exists)
            return;
        _ = Libc.Rename(Path, Draft);
        TreeRemoval.Remove(Draft);
    }

    /// <summary>Ids of a provider's checkpoints, half-made ones too.</summary>
    public static IReadOnlyList<string> List(AgentHost host, string provider)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string path in Directory.Exists(Home(host)) ? Directory.EnumerateDirectories(Home(host)) : [])
        {
            string name = System.IO.Path.GetFileName(path);
            if (name.StartsWith(Prefix(provider), StringComparison.Ordinal))
                found.Add(name[Prefix(provider).Length..]);
            else if (File.Exists(Marker(path, provider)))
                found.Add(name);
        }
        return [.. found];
    }

    private static string Home(AgentHost host) => System.IO.Path.Combine(host.DataDirectory, "checkpoints");

    private static string Prefix(string provider) => $".{provider}-";

    private static string Marker(string path, string provider) => System.IO.Path.Combine(path, provider + ".json");
}
