namespace StacyVM.Engine.Agents;

/// <summary>
/// The way to one sandbox's agent. It hands over the living connection, waiting for a redial where the last one broke. Two kinds: a Unix
/// socket that the agent dials (<see cref="AgentListener"/>) and a byte stream that the server opens itself (standard streams of a remote exec).
/// </summary>
internal interface IAgentLink : IAsyncDisposable
{
    /// <summary>The present connection, or the next one.</summary>
    /// <exception cref="Protocol.Problems.StacyVMException"><see cref="Protocol.Problems.ProblemKind.SandboxGone"/> when none comes in time.</exception>
    ValueTask<AgentConnection> GetAsync(CancellationToken cancellation);
}
