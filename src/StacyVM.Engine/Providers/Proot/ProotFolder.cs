using System.Globalization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>The directory of one sandbox: <c>root</c>, <c>workspace</c>, <c>tmp</c> and <c>shm</c> of its own, its agent's socket, its console, and <c>proot.json</c>.</summary>
internal sealed class ProotFolder(AgentHost host, string id)
{
    private const string Marker = "proot.json";
    private const uint Open = 0x1ED, Private = 0x1C0;
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Path { get; } = host.SandboxDirectory(id);

    public string Root => In("root");

    public string Workspace => In("workspace");

    public string Temporary => In("tmp");

    public string SharedMemory => In("shm");

    public string Agent => In("agent");

    public string Console => In("console");

    /// <summary>The agent's secret on its way in; it is emptied as soon as the agent has come.</summary>
    public string Token => In("token");

    public bool Exists => Directory.Exists(Path);

    /// <summary>True when it is this provider's: the other levels keep theirs side by side with it.</summary>
    public bool IsMarked => File.Exists(In(Marker));

    /// <summary>The marker first: what is half made is found by it.</summary>
    /// <param name="state">The marker.</param>
    /// <param name="privileged">The server is root: what belongs to the sandbox is given to its user.</param>
    public void Make(ProotState state, bool privileged)
    {
        AgentHost.MakePassage(Path);
        Write(state);
        AgentHost.MakePassage(Agent);
        Small("hostname", id + "\n");
        Small("hosts", $"127.0.0.1 localhost {id}\n::1 localhost ip6-localhost {id}\n");
        File.WriteAllText(Token, state.Token + "\n");
        File.SetUnixFileMode(Token, Secret);
        MakeDirectory(Root, Open);
        foreach ((string path, uint mode) in new[] { (Workspace, Private), (Temporary, Private), (SharedMemory, Private) })
        {
            MakeDirectory(path, mode);
            if (privileged && Libc.ChangeOwner(path, state.UserId, state.UserId) != 0)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"cannot give {path} to user {state.UserId}: {Libc.LastError()}"), Libc.Error);
        }
    }

    /// <summary>A small file beside the socket, seen below <c>/run/stacyvm</c>.</summary>
    public void Small(string name, string content)
    {
        string path = System.IO.Path.Combine(Agent, name);
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    /// <summary>Appears whole or not at all.</summary>
    public void Write(ProotState state)
    {
        string draft = In(Marker + ".draft");
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Secret }))
            file.Write(state.ToBytes());
        File.Move(draft, In(Marker), overwrite: true);
    }

    public ProotState? Read()
    {
        try
        {
            return ProotState.Parse(File.ReadAllBytes(In(Marker)));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Who has the file open from before finds nothing in it.</summary>
    public void ForgetToken()
    {
        File.WriteAllText(Token, "");
        File.Delete(Token);
    }

    public string ConsoleText() => ConsoleTail.Read(Console, 3) is { Count: > 0 } lines ? string.Join("; ", lines) : "it printed nothing";

    public void Remove() => TreeRemoval.Remove(Path);

    internal static void MakeDirectory(string path, uint mode)
    {
        if (Libc.MakeDirectory(path, mode) != 0 || Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot make {path}: {Libc.LastError()}", Libc.Error);
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
