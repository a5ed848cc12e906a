using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Protocol;

namespace StacyVM.Engine.Agents;

/// <summary>
/// What every provider with an agent shares: where the agent's program lies, where a sandbox's directory is, the launcher through which
/// host processes are started, and listeners for agents that dial in. Disposing it leaves every sandbox running, as the end of the server does.
/// </summary>
internal sealed class AgentHost(string installationId, string dataDirectory, string agentPath, ILoggerFactory? loggers = null) : IAsyncDisposable
{
    private const UnixFileMode Passage = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly ILoggerFactory _loggers = loggers ?? NullLoggerFactory.Instance;
    private readonly ConcurrentDictionary<AgentListener, bool> _listeners = new();
    private readonly ConcurrentDictionary<IAgentLink, bool> _adopted = new();
    private readonly Lazy<HostLauncher> _launcher = new(() => new HostLauncher(agentPath, (loggers ?? NullLoggerFactory.Instance).CreateLogger<HostLauncher>()));

    /// <summary>Random id of this data directory: labels what is ours, so that two servers on one machine never touch each other's sandboxes.</summary>
    public string InstallationId { get; } = installationId;

    public string DataDirectory { get; } = dataDirectory;

    /// <summary>The unpacked static agent, readable and executable by everyone, at a path that carries its content's hash.</summary>
    public string AgentPath { get; } = agentPath;

    /// <summary>Directory of one sandbox. <c>agent/agent.sock</c> in it is where its agent dials; the rest is its provider's.</summary>
    public string SandboxDirectory(string id)
    {
        // The id becomes a path on the host: this is the last gate, whatever was checked before.
        if (!SandboxId.IsSafe(id))
            throw new ArgumentException("not a sandbox id", nameof(id));
        return Path.Combine(DataDirectory, "sandboxes", id);
    }

    /// <summary>Directory that holds <c>agent.sock</c> of a sandbox; bound read-only behind its wall.</summary>
    public string AgentDirectory(string id) => Path.Combine(SandboxDirectory(id), "agent");

    /// <summary>
    /// 1 the data directory, 2 its installation id, made once, 3 the agent's program, unpacked when this version is not there yet.
    /// </summary>
    /// <param name="dataDirectory">Made when absent. Others may pass through it, not list it: sandboxes run as users of their own.</param>
    /// <param name="agentProgram">Opens the agent's binary.</param>
    /// <param name="loggers">Null: silent.</param>
    /// <param name="cancellation">Abandons the unpacking.</param>
    public static async Task<AgentHost> OpenAsync(
        string dataDirectory, Func<Stream> agentProgram, ILoggerFactory? loggers = null, CancellationToken cancellation = default)
    {
        dataDirectory = Path.GetFullPath(dataDirectory);
        MakePassage(dataDirectory);
        MakePassage(Path.Combine(dataDirectory, "sandboxes"));
        string installation = ReadOrMakeInstallationId(dataDirectory);
        string agent = await AgentProgram.UnpackAsync(Path.Combine(dataDirectory, "bin"), agentProgram, cancellation).ConfigureAwait(false);
        return new AgentHost(installation, dataDirectory, agent, loggers);
    }

    /// <summary>A secret for one sandbox's agent: 256 random bits.</summary>
    public static string NewToken() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    /// <summary>Binds <c>agent/agent.sock</c> in the sandbox's directory (paths of any length) and accepts only peers that present the token.</summary>
    /// <param name="id">The sandbox.</param>
    /// <param name="token">From <see cref="NewToken"/>, handed to the agent in <see cref="Protocol.Agent.AgentProtocol.TokenVariable"/>.</param>
    /// <param name="owner">Host user that alone may connect; null: whoever reaches the socket.</param>
    public AgentListener Listen(string id, string token, uint? owner = null)
    {
        MakePassage(SandboxDirectory(id));
        AgentListener listener = null!;
        listener = AgentListener.Bind(id, token, AgentDirectory(id), owner, _loggers.CreateLogger<AgentListener>(), () => _listeners.TryRemove(listener, out _));
        _listeners[listener] = true;
        return listener;
    }

    /// <summary>The agent running as launcher on the host; started on first use and again when it has died.</summary>
    public ValueTask<HostLauncher> LauncherAsync(CancellationToken cancellation) => _launcher.Value.ReadyAsync(cancellation);

    /// <summary>A link that a provider has made itself: it ends with this host, as listeners do.</summary>
    public void Adopt(IAgentLink link) => _adopted[link] = true;

    /// <summary>The link has ended before the host.</summary>
    public void Forget(IAgentLink link) => _adopted.TryRemove(link, out _);

    public async ValueTask DisposeAsync()
    {
        foreach (IAgentLink link in _adopted.Keys)
            await link.DisposeAsync().ConfigureAwait(false);
        foreach (AgentListener listener in _listeners.Keys)
            await listener.DisposeAsync().ConfigureAwait(false);
        if (_launcher.IsValueCreated)
            await _launcher.Value.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Makes a directory that everyone may pass through and only the server's user may list.</summary>
    internal static void MakePassage(string directory)
    {
        Directory.CreateDirectory(directory, Passage);
        // The mode above is subject to the umask, and the directory may be older.
        File.SetUnixFileMode(directory, Passage);
    }

    private static string ReadOrMakeInstallationId(string dataDirectory)
    {
        string path = Path.Combine(dataDirectory, "installation-id");
        while (true)
        {
            if (File.Exists(path))
            {
                string id = File.ReadAllText(path).Trim();
                if (SandboxId.IsSafe(id))
                    return id;
                throw new InvalidDataException($"{path} does not hold an installation id; restore it, or remove it when no sandbox of this data directory is left");
            }
            // Written aside and moved: another server that starts at the same time sees a whole id or none.
            string draft = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
            using (var file = new FileStream(draft, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(16, lowercase: true) + "\n"));
                file.Flush(flushToDisk: true);
            }
            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
            }
        }
    }
}
