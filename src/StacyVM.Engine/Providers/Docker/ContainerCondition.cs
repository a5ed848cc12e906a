using System.Globalization;
using Docker.DotNet.Models;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Reads the daemon's word on a container.</summary>
internal static class ContainerCondition
{
    public static RuntimeStatus Of(State? state) => state switch
    {
        null => new RuntimeStatus(RuntimeState.Stopped, "the Docker daemon says nothing of its state"),
        { Dead: true } => new RuntimeStatus(RuntimeState.Stopped, "the Docker daemon could not remove the container completely"),
        { Paused: true } => new RuntimeStatus(RuntimeState.Paused, "the container is paused"),
        { Running: true } => new RuntimeStatus(RuntimeState.Running),
        _ => new RuntimeStatus(RuntimeState.Stopped, Reason(state)),
    };

    private static string Reason(State state)
    {
        if (state.OOMKilled)
            return "out of memory: the kernel killed the container";
        if (!string.IsNullOrEmpty(state.Error))
            return state.Error.Trim();
        if (state.Status == "created")
            return "the container was created and never started";
        // A daemon that comes back without live restore finds its containers dead and records no code of their own.
        return state.ExitCode > 128
            ? string.Create(CultureInfo.InvariantCulture, $"the container was killed by signal {state.ExitCode - 128} (by hand, or by a restart of the Docker daemon)")
            : string.Create(CultureInfo.InvariantCulture, $"the container ended with exit code {state.ExitCode}");
    }

    /// <summary>From the short list of containers.</summary>
    public static bool IsAlive(string state) => state is "running" or "paused" or "restarting";
}
