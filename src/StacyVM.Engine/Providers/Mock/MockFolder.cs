using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>The directory of one sandbox: <c>root/</c> with its files, <c>agent/</c> with its socket, <c>console</c>, and <c>mock.json</c> that marks it as ours.</summary>
internal sealed class MockFolder(AgentHost host, string id)
{
    private const string Marker = "mock.json";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path = host.SandboxDirectory(id);

    public string Root => Path.Combine(_path, "root");

    public string Workspace => Path.Combine(Root, "workspace");

    public string Console => Path.Combine(_path, "console");

    public string Socket => Path.Combine(host.AgentDirectory(id), AgentListener.SocketName);

    /// <summary>Variable that every process of the sandbox inherits, and by which it is found.</summary>
    public string Mark => $"STACYVM_MOCK={host.InstallationId}/{id}";

    /// <summary>There while the sandbox is to stand still, whoever is there to keep it so.</summary>
    private string Pause => Path.Combine(_path, "paused");

    public bool IsPaused => File.Exists(Pause);

    public bool Exists => Directory.Exists(_path);

    /// <summary>True when it is this provider's: the other levels keep theirs side by side with it.</summary>
    public bool IsMarked => File.Exists(Path.Combine(_path, Marker));

    public void Make(MockState state)
    {
        AgentHost.MakePassage(_path);
        Write(state);
        Directory.CreateDirectory(Workspace);
        Directory.CreateDirectory(Path.Combine(Root, "tmp"));
    }

    public void Write(MockState state)
    {
        string draft = Path.Combine(_path, Marker + ".draft");
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
            file.Write(state.ToJson());
        File.Move(draft, Path.Combine(_path, Marker), overwrite: true);
    }

    public MockState? Read()
    {
        try
        {
            return MockState.Parse(File.ReadAllBytes(Path.Combine(_path, Marker)));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void NotePause() => File.WriteAllText(Pause, "");

    public void ForgetPause() => File.Delete(Pause);

    public IReadOnlyList<string> ReadConsole(int lines)
    {
        try
        {
            return [.. File.ReadLines(Console).TakeLast(lines)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    public void Remove() => TreeRemoval.Remove(_path);
}
