using System.Globalization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>The directory of one machine's sandbox and what lies where in it.</summary>
/// <param name="host">Data directory.</param>
/// <param name="monitor">Name of the monitor: each has its own machines.</param>
/// <param name="id">The sandbox.</param>
internal sealed class MachineFolder(AgentHost host, string monitor, string id)
{
    private const uint Searchable = 0x1ED, OwnerOnly = 0x1C0;

    public string Id => id;

    public string Path { get; } = host.SandboxDirectory(id);

    /// <summary>Name of a directory that is being filled or emptied. It takes its real name by one rename, so that one without a marker is never ours.</summary>
    public string Draft { get; } = System.IO.Path.Combine(host.DataDirectory, "sandboxes", DraftPrefix(monitor) + id);

    /// <summary>Working directory of the monitor's process, whose user owns it: sockets, and the disk.</summary>
    public string Machine => System.IO.Path.Combine(Path, "machine");

    /// <summary>What the sandbox writes.</summary>
    public string Disk => System.IO.Path.Combine(Machine, "disk");

    /// <summary>What the monitor and the machine's kernel print.</summary>
    public string Console => System.IO.Path.Combine(Path, "console");

    /// <summary>There while the machine stands still by request.</summary>
    private string Pause => System.IO.Path.Combine(Path, "paused");

    private string Marker => System.IO.Path.Combine(Path, "machine.json");

    public bool Exists => Directory.Exists(Path) || Directory.Exists(Draft);

    public bool IsPaused => File.Exists(Pause);

    /// <summary>By this argument of the monitor's process it is known in a process list.</summary>
    public string ProcessMark => ProcessMarkPrefix(host) + id + "/machine";

    public static string ProcessMarkPrefix(AgentHost host) => "guest=" + System.IO.Path.Combine(host.DataDirectory, "sandboxes") + "/";

    public static string DraftPrefix(string monitor) => $".{monitor}-";

    /// <summary>Makes it, whole or not at all; the disk is the next step.</summary>
    public void Make(MachineState state)
    {
        MakeDirectory(Draft, Searchable);
        MakeDirectory(System.IO.Path.Combine(Draft, "machine"), OwnerOnly);
        WriteMarker(System.IO.Path.Combine(Draft, "machine.json"), state);
        if (Libc.Rename(Draft, Path) != 0)
            throw new IOException($"cannot rename {Draft}: {Libc.LastError()}", Libc.Error);
    }

    /// <summary>Gives the monitor's user what is the machine's, when all of it is there.</summary>
    public void GiveTo(uint user, uint group)
    {
        foreach (string path in (string[])[Disk, Machine])
        {
            if (Libc.ChangeOwner(path, user, group) != 0)
                throw new IOException($"cannot give {path} to user {user.ToString(CultureInfo.InvariantCulture)}: {Libc.LastError()}", Libc.Error);
        }
    }

    /// <summary>What is known has become more: the process.</summary>
    public void Update(MachineState state)
    {
        string draft = Marker + ".new";
        WriteMarker(draft, state);
        File.Move(draft, Marker, overwrite: true);
    }

    /// <summary>The marker; null when there is no such directory or it belongs to another provider.</summary>
    public MachineState? ReadState()
    {
        try
        {
            return MachineState.TryParse(File.ReadAllBytes(Marker)) is { } state && state.Monitor == monitor ? state : null;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void SetPaused(bool paused)
    {
        if (paused)
            File.WriteAllText(Pause, "");
        else
            File.Delete(Pause);
    }

    /// <summary>It gives its name up by one rename, too: a removal that is cut off is found again as one that was never finished.</summary>
    public void Remove()
    {
        TreeRemoval.Remove(Draft);
        _ = Libc.Rename(Path, Draft);
        TreeRemoval.Remove(Draft);
        TreeRemoval.Remove(Path);
    }

    private static void WriteMarker(string path, MachineState state)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(state.ToBytes());
    }

    private static void MakeDirectory(string path, uint mode)
    {
        if (Libc.MakeDirectory(path, mode) != 0 || Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot make {path}: {Libc.LastError()}", Libc.Error);
    }
}
