namespace StacyVM.Engine.Agents;

/// <summary>
/// What every provider with an agent shares: where the agent's program lies, where a sandbox's directory is, the launcher through which
/// host processes are started, and listeners for agents that dial in.
/// </summary>
internal sealed class AgentHost(string installationId, string dataDirectory, string agentPath)
{
    /// <summary>Random id of this data directory: labels what is ours, so that two servers on one machine never touch each other's sandboxes.</summary>
    public string InstallationId { get; } = installationId;

    public string DataDirectory { get; } = dataDirectory;

    /// <summary>The unpacked static agent, readable and executable by everyone, at a path that carries its content's hash.</summary>
    public string AgentPath { get; } = agentPath;

    /// <summary>Directory of one sandbox. <c>agent/agent.sock</c> in it is where its agent dials; the rest is its provider's.</summary>
    public string SandboxDirectory(string id) => Path.Combine(DataDirectory, "sandboxes", id);

    /// <summary>Binds <c>agent/agent.sock</c> in the sandbox's directory (paths of any length) and accepts only peers that present the token.</summary>
    public AgentListener Listen(string id, string token) => throw new NotSupportedException("agent listeners are not built yet");

    /// <summary>The agent running as launcher on the host; started on first use and again when it has died.</summary>
    public ValueTask<HostLauncher> LauncherAsync(CancellationToken cancellation) => throw new NotSupportedException("the launcher is not built yet");
}
