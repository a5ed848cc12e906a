using Microsoft.Extensions.Logging;

namespace StacyVM.Engine.Providers.Bubblewrap;

internal static partial class BubblewrapLog
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "bubblewrap.prepared", Message = "bubblewrap {Version} prepared; not bounded by control groups: {Missing}")]
    public static partial void Prepared(ILogger log, string version, string missing);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "bubblewrap.cleanup_failed", Message = "what was left of sandbox {Id}, which could not be made, cannot be removed")]
    public static partial void CleanupFailed(ILogger log, string id, Exception cause);
}
