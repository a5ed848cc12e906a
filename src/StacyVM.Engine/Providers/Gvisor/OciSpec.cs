using System.Text.Json.Serialization;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary><c>config.json</c> of an OCI bundle (runtime specification 1.0.2), as far as it is used here.</summary>
internal sealed record OciSpec
{
    public string OciVersion { get; } = "1.0.2";

    public required OciProcess Process { get; init; }

    public required OciRoot Root { get; init; }

    public required string Hostname { get; init; }

    public required IReadOnlyList<OciMount> Mounts { get; init; }

    public required OciLinux Linux { get; init; }
}

internal sealed record OciProcess
{
    public bool Terminal { get; }

    public required OciUser User { get; init; }

    public required IReadOnlyList<string> Args { get; init; }

    public required IReadOnlyList<string> Env { get; init; }

    // Not the workspace: the agent goes there itself, and says so when it cannot.
    public string Cwd { get; } = "/";

    public OciCapabilities Capabilities { get; } = new();

    public bool NoNewPrivileges { get; } = true;

    public required IReadOnlyList<OciLimit> Rlimits { get; init; }
}

internal sealed record OciUser(uint Uid, uint Gid);

/// <summary>None.</summary>
internal sealed record OciCapabilities
{
    public IReadOnlyList<string> Bounding { get; } = [];

    public IReadOnlyList<string> Effective { get; } = [];

    public IReadOnlyList<string> Inheritable { get; } = [];

    public IReadOnlyList<string> Permitted { get; } = [];

    public IReadOnlyList<string> Ambient { get; } = [];
}

/// <param name="Type">E.g. <c>RLIMIT_NPROC</c>.</param>
/// <param name="Hard">Cannot be raised.</param>
/// <param name="Soft">In force.</param>
internal sealed record OciLimit(string Type, ulong Hard, ulong Soft);

internal sealed record OciRoot(string Path, bool Readonly);

internal sealed record OciMount(string Destination, string Type, string Source, IReadOnlyList<string> Options);

internal sealed record OciLinux(IReadOnlyList<OciNamespace> Namespaces, OciResources Resources);

internal sealed record OciNamespace(string Type);

/// <summary>Not for control groups, which are made elsewhere: what gVisor tells the sandbox it has.</summary>
internal sealed record OciResources(OciMemory Memory, OciCpu Cpu);

internal sealed record OciMemory(long Limit);

internal sealed record OciCpu(long Quota, ulong Period);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OciSpec))]
internal sealed partial class BundleJson : JsonSerializerContext;
