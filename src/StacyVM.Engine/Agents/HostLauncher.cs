using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>
/// A small process that forks for the server: an agent on the host, spoken to over its standard streams. It starts programs such as
/// <c>bwrap</c> in microseconds, joins cgroups and drops privileges before the program begins, and is gone with the server while what it
/// started lives on.
/// </summary>
internal sealed class HostLauncher
{
    /// <summary>Starts a program that outlives the server.</summary>
    public Task<LaunchedProgram> LaunchAsync(StartProcessRequest request, CancellationToken cancellation) => throw new NotSupportedException("the launcher is not built yet");
}

/// <summary>A launched program, while the server that launched it lives.</summary>
/// <param name="Pid">Host process id.</param>
/// <param name="Exited">Completes with its exit when the launcher sees it end; never completes when the launcher is gone.</param>
internal sealed record LaunchedProgram(int Pid, Task<ProcessExit> Exited);
