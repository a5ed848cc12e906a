namespace StacyVM.Engine.Configuration;

/// <summary>OCI containers by a Docker engine, with runc, gVisor or Kata below.</summary>
internal sealed record DockerOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Empty: <c>DOCKER_HOST</c>, else the platform's default.</summary>
    public string Socket { get; init; } = "";

    public string Runtime { get; init; } = "runc";

    public string DefaultImage { get; init; } = "alpine:latest";

    /// <summary>none, bridge, host or a network's name.</summary>
    public string NetworkMode { get; init; } = "none";

    /// <summary>default, unconfined, or the path of a profile.</summary>
    public string SeccompProfile { get; init; } = "default";

    public bool ReadOnlyRootfs { get; init; }

    public int PidsLimit { get; init; } = 256;

    /// <summary>uid:gid of commands; empty: 1000:1000. Root must be written out as <c>0:0</c>.</summary>
    public string User { get; init; } = "";

    public IReadOnlyList<string> DroppedCaps { get; init; } = ["ALL"];

    public IReadOnlyList<string> AddedCaps { get; init; } = [];

    /// <summary>Path → mount options.</summary>
    public IReadOnlyDictionary<string, string> Tmpfs { get; init; } = new Dictionary<string, string>();
}
