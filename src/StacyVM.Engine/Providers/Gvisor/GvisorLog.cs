using Microsoft.Extensions.Logging;

namespace StacyVM.Engine.Providers.Gvisor;

internal static partial class GvisorLog
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "gvisor.prepared", Message = "runsc {Version} prepared, platform {Platform}; not bounded by control groups: {Missing}")]
    public static partial void Prepared(ILogger log, string version, string platform, string missing);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "gvisor.cleanup_failed", Message = "what was left of sandbox {Id}, which could not be made, cannot be removed")]
    public static partial void CleanupFailed(ILogger log, string id, Exception cause);
}
