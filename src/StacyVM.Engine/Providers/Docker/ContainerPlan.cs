namespace StacyVM.Engine.Providers.Docker;

/// <summary>Everything that is decided about a container before the daemon is asked to make it.</summary>
internal sealed record ContainerPlan
{
    public required string Id { get; init; }

    public required SandboxSpec Spec { get; init; }

    public required DockerImage Image { get; init; }

    public required DockerUser User { get; init; }

    public required string Token { get; init; }

    public required AgentRoute Route { get; init; }

    public required WorkspaceKind Workspace { get; init; }

    /// <summary>What a bound workspace begins with; null for nothing.</summary>
    public string? WorkspaceSource { get; init; }

    /// <summary>Text of the profile, or null where the daemon has no seccomp.</summary>
    public required string? Seccomp { get; init; }

    public required IDictionary<string, string> Labels { get; init; }

    /// <summary>On our own file system; used by <see cref="AgentRoute.Socket"/> only.</summary>
    public required string AgentPath { get; init; }

    /// <inheritdoc cref="AgentPath"/>
    public required string SandboxDirectory { get; init; }
}

/// <summary>Where <c>/workspace</c> lies. Whichever it is, it belongs to the container's user.</summary>
internal enum WorkspaceKind
{
    /// <summary>A directory of ours, bound in.</summary>
    Bound,

    /// <summary>In the container's writable layer, put there by upload.</summary>
    Layer,

    /// <summary>In memory: the root is read-only and the daemon does not see our files.</summary>
    Memory,
}
