using StacyVM.Engine.Configuration;
using StacyVM.Protocol;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Diagnostics;

/// <summary>The limits of the configuration, as clients see them.</summary>
internal static class Limits
{
    public static LimitsInfo Of(DefaultsOptions options) => new()
    {
        MaxSandboxes = options.MaxSandboxes,
        MaxSandboxesPerOwner = options.MaxSandboxesPerOwner,
        DefaultExecTimeout = GoDuration.Format(options.DefaultExecTimeout),
        MaxExecTimeout = GoDuration.Format(options.MaxExecTimeout),
        MaxTtl = GoDuration.Format(options.MaxTtl),
        SpawnOverflow = options.SpawnOverflow,
        SpawnQueueTimeout = GoDuration.Format(options.SpawnQueueTimeout),
        MaxSpawnQueue = options.MaxSpawnQueue,
    };
}
