using System.Globalization;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>The directory of one sandbox and what lies where in it.</summary>
internal sealed class GvisorFolder(AgentHost host, string id)
{
    /// <summary>Prefix of a directory that is being filled or removed. It takes its real name by one rename, so that one without a marker is never ours.</summary>
    public const string DraftPrefix = ".gvisor-";

    /// <summary>The bundle's name in <see cref="Inner"/>; by its path in a process list the processes of a sandbox are known.</summary>
    public const string BundleSuffix = "/inner/bundle";

    private const string Marker = "gvisor.json";
    private const uint Searchable = 0x1ED, Closed = 0x1C0, Readable = 0x1A4, Private = 0x180;

    public string Path { get; } = host.SandboxDirectory(id);

    public string Draft { get; } = System.IO.Path.Combine(host.DataDirectory, "sandboxes", DraftPrefix + id);

    /// <summary>Bound to <c>/run/stacyvm</c>, read-only: the agent's socket and the small files that differ from sandbox to sandbox.</summary>
    public string Agent => System.IO.Path.Combine(Path, "agent");

    /// <summary>Only root may enter: what is below belongs to user ids of the sandbox, which may be a person's on this machine.</summary>
    public string Inner => System.IO.Path.Combine(Path, "inner");

    public string Workspace => System.IO.Path.Combine(Inner, "workspace");

    /// <summary>What a sandbox from an image has changed of its root; absent for the host's programs.</summary>
    public string Upper => System.IO.Path.Combine(Inner, ImageRoot.UpperName);

    public string Bundle => Path + BundleSuffix;

    /// <summary>Where runsc keeps what it knows of this one sandbox.</summary>
    public string RunscRoot => System.IO.Path.Combine(Inner, "runsc");

    /// <summary>Written by runsc: the process that is the sandbox's kernel.</summary>
    public string PidFile => System.IO.Path.Combine(Inner, "pid");

    /// <summary>An empty input. runsc gives what it is handed as standard streams to the sandbox's user, and that must not be the host's own /dev/null.</summary>
    public string Input => System.IO.Path.Combine(Inner, "input");

    /// <summary>What runsc and the agent print. No command in the sandbox has it open.</summary>
    public string Console => System.IO.Path.Combine(Inner, "console");

    private string Ending => System.IO.Path.Combine(Inner, "ending");

    public bool Exists => Directory.Exists(Path) || Directory.Exists(Draft);

    /// <summary>Makes it, whole or not at all.</summary>
    public void Make(GvisorState state)
    {
        MakeDirectory(Draft, Searchable);
        Write(Marker, state.ToBytes(), Private);
        MakeDirectory(System.IO.Path.Combine(Draft, "agent"), Searchable);
        Write("agent/hostname", Encoding.ASCII.GetBytes(id + "\n"), Readable);
        Write("agent/hosts", Encoding.ASCII.GetBytes($"127.0.0.1 localhost {id}\n::1 localhost ip6-localhost {id}\n"), Readable);
        string inner = System.IO.Path.Combine(Draft, "inner");
        MakeDirectory(inner, Closed);
        foreach (string name in (string[])["workspace", "bundle", "runsc"])
            MakeDirectory(System.IO.Path.Combine(inner, name), Closed);
        Own(System.IO.Path.Combine(inner, "workspace"), state.UserId);
        if (Libc.Rename(Draft, Path) != 0)
            throw new IOException($"cannot rename {Draft}: {Libc.LastError()}", Libc.Error);
    }

    public void WriteBundle(byte[] document)
    {
        string path = System.IO.Path.Combine(Bundle, "config.json");
        File.WriteAllBytes(path, document);
        if (Libc.ChangeMode(path, Private) != 0)
            throw new IOException($"cannot change the mode of {path}: {Libc.LastError()}");
    }

    /// <summary>It gives its name up by one rename, too: a removal that is cut off is found again as one that was never finished.</summary>
    public void Remove()
    {
        TreeRemoval.Remove(Draft);
        _ = Libc.Rename(Path, Draft);
        TreeRemoval.Remove(Draft);
        TreeRemoval.Remove(Path);
    }

    /// <summary>The marker; null when there is no such directory or it belongs to another level.</summary>
    public GvisorState? ReadState()
    {
        try
        {
            return GvisorState.Parse(File.ReadAllBytes(System.IO.Path.Combine(Path, Marker)));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The sandbox's kernel as runsc has written it down, if it runs. Its number alone proves nothing: its arguments must name this bundle.</summary>
    public ProcessIdentity? FindProcess()
    {
        try
        {
            return int.TryParse(File.ReadAllText(PidFile), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && ProcessIdentity.Of(pid) is { } process && ProcessScan.HasArgument(pid, "--bundle=" + Bundle)
                ? process
                : null;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Why the server itself has ended it; null when it has not.</summary>
    public string? ReadEnding()
    {
        try
        {
            return File.ReadAllText(Ending);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Kept for whoever asks why it ended, after a restart of the server, too.</summary>
    public void NoteEnding(string reason)
    {
        try
        {
            File.WriteAllText(Ending, reason);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // A full disk: the log has it.
        }
    }

    /// <summary>The last lines of the console, oldest first.</summary>
    public IReadOnlyList<string> ReadConsole(int lines) => ConsoleTail.Read(Console, lines);

    private void Write(string name, ReadOnlySpan<byte> content, uint mode)
    {
        string path = System.IO.Path.Combine(Draft, name);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(path, options))
            file.Write(content);
        if (Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot change the mode of {path}: {Libc.LastError()}");
    }

    private static void MakeDirectory(string path, uint mode)
    {
        if (Libc.MakeDirectory(path, mode) != 0 || Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot make {path}: {Libc.LastError()}", Libc.Error);
    }

    private static void Own(string path, uint user)
    {
        if (Libc.ChangeOwner(path, user, user) != 0)
            throw new IOException($"cannot give {path} to user {user.ToString(CultureInfo.InvariantCulture)}: {Libc.LastError()}");
    }
}
