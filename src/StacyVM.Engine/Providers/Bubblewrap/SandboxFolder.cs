using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>The directory of one sandbox and what lies where in it.</summary>
internal sealed class SandboxFolder(AgentHost host, string id)
{
    /// <summary>Prefix of a directory that is being filled. It takes its real name by one rename, so that one without a marker is never ours.</summary>
    public const string DraftPrefix = ".bubblewrap-";

    private const uint Searchable = 0x1ED;
    private const uint SearchableByGroup = 0x1C8;

    public string Path { get; } = host.SandboxDirectory(id);

    public string Draft { get; } = System.IO.Path.Combine(host.DataDirectory, "sandboxes", DraftPrefix + id);

    /// <summary>Bound to <c>/run/stacyvm</c>, read-only: the agent's socket and the small files that differ from sandbox to sandbox.</summary>
    public string Agent => System.IO.Path.Combine(Path, "agent");

    public string Workspace => System.IO.Path.Combine(Path, "workspace");

    /// <summary>What a sandbox from an image has changed of its root; absent for the host's programs.</summary>
    public string Upper => System.IO.Path.Combine(Path, ImageRoot.UpperName);

    /// <summary>Arguments of bwrap, the agent's token among them: they never stand in a process list.</summary>
    public string Arguments => System.IO.Path.Combine(Path, "arguments");

    /// <summary>What bwrap reports: the first process, and how it ended.</summary>
    public string Status => System.IO.Path.Combine(Path, "status");

    /// <summary>What bwrap and the agent print. No command in the sandbox has it open.</summary>
    public string Console => System.IO.Path.Combine(Path, "console");

    /// <summary>There while the sandbox is to stand still, whoever is there to keep it so.</summary>
    private string Pause => System.IO.Path.Combine(Path, "paused");

    public bool IsPaused => File.Exists(Pause);

    /// <summary>Why the server itself has ended the sandbox, if it has.</summary>
    private string Ending => System.IO.Path.Combine(Path, "ending");

    public bool Exists => Directory.Exists(Path) || Directory.Exists(Draft);

    /// <summary>Makes it, whole or not at all.</summary>
    /// <param name="state">The marker.</param>
    /// <param name="privileged">The server is root: what belongs to the sandbox is given to its user.</param>
    /// <param name="ownUsers">It sees itself as its host user.</param>
    public void Make(BubblewrapState state, bool privileged, bool ownUsers)
    {
        MakeDirectory(Draft, privileged ? SearchableByGroup : 0x1C0);
        Write("sandbox.json", state.ToBytes(), 0x180);
        MakeDirectory(System.IO.Path.Combine(Draft, "agent"), Searchable);
        Write("agent/hostname", Encoding.ASCII.GetBytes(id + "\n"), 0x1A4);
        Write("agent/hosts", Encoding.ASCII.GetBytes($"127.0.0.1 localhost {id}\n::1 localhost ip6-localhost {id}\n"), 0x1A4);
        if (ownUsers)
        {
            Write("agent/passwd", Encoding.ASCII.GetBytes(HostImage.Users(state.UserId)), 0x1A4);
            Write("agent/group", Encoding.ASCII.GetBytes(HostImage.Groups(state.UserId)), 0x1A4);
        }
        string workspace = System.IO.Path.Combine(Draft, "workspace");
        // Closed to the machine's other users, who may pass through the directories above it.
        MakeDirectory(workspace, 0x1C0);
        if (privileged)
        {
            Own(Draft, 0, state.UserId);
            Own(workspace, state.UserId, state.UserId);
        }
        if (Libc.Rename(Draft, Path) != 0)
            throw new IOException($"cannot rename {Draft}: {Libc.LastError()}", Libc.Error);
    }

    /// <summary>For bwrap, which reads and closes them before the agent starts.</summary>
    public void WriteArguments(byte[] arguments)
    {
        File.WriteAllBytes(Arguments, arguments);
        if (Libc.ChangeMode(Arguments, 0x180) != 0)
            throw new IOException($"cannot change the mode of {Arguments}: {Libc.LastError()}");
    }

    /// <summary>It gives its name up by one rename, too: a removal that is cut off is found again as one that was never finished.</summary>
    public void Remove()
    {
        TreeRemoval.Remove(Draft);
        _ = Libc.Rename(Path, Draft);
        TreeRemoval.Remove(Draft);
        TreeRemoval.Remove(Path);
    }

    /// <summary>The marker; null when there is no such directory or it belongs to another provider.</summary>
    public BubblewrapState? ReadState()
    {
        try
        {
            return BubblewrapState.Parse(File.ReadAllBytes(System.IO.Path.Combine(Path, "sandbox.json")));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// The first process as bwrap has reported it, if it runs. Its number alone proves nothing: the process must have this sandbox's
    /// workspace mounted.
    /// </summary>
    public ProcessIdentity? FindProcess() =>
        ReadStatus("child-pid"u8) is { } pid && ProcessIdentity.Of((int)pid) is { } process && ProcessScan.IsInside((int)pid, id) ? process : null;

    /// <summary>How the first process ended, 128 + signal for a signal; null when bwrap did not live to report it.</summary>
    public int? ReadExitCode() => (int?)ReadStatus("exit-code"u8);

    public void NotePause() => File.WriteAllText(Pause, "");

    public void ForgetPause() => File.Delete(Pause);

    /// <summary>Null when the server has not ended it.</summary>
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

    private long? ReadStatus(ReadOnlySpan<byte> name)
    {
        try
        {
            byte[] text = File.ReadAllBytes(Status);
            // One JSON document after another; the last one may not be complete yet.
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { AllowMultipleValues = true });
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name) && reader.Read() && reader.TryGetInt64(out long value))
                    return value;
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
        return null;
    }

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
        // The mode that was asked for, whatever the umask of the server.
        if (mode != 0x180 && Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot change the mode of {path}: {Libc.LastError()}");
    }

    private static void MakeDirectory(string path, uint mode)
    {
        if (Libc.MakeDirectory(path, mode) != 0 || Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot make {path}: {Libc.LastError()}", Libc.Error);
    }

    private static void Own(string path, uint user, uint group)
    {
        if (Libc.ChangeOwner(path, user, group) != 0)
            throw new IOException($"cannot give {path} to user {user.ToString(CultureInfo.InvariantCulture)}: {Libc.LastError()}");
    }
}
