using Microsoft.Extensions.Logging;

namespace StacyVM.Engine.Providers.Bubblewrap;

internal static partial class BubblewrapLog
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "bubblewrap.prepared", Message = "bubblewrap {Version} prepared; not bounded by control groups: {Missing}")]
    public static partial void Prepared(ILogger log, string version, string missing);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "disk.closed", Message = "the workspace of sandbox {Id} holds {Used} of {Bound} MiB: it may write no more until that is less")]
    public static partial void DiskClosed(ILogger log, string id, long used, long bound);

    [LoggerMessage(Level = LogLevel.Information, EventName = "disk.opened", Message = "the workspace of sandbox {Id} is within its {Bound} MiB again")]
    public static partial void DiskOpened(ILogger log, string id, long bound);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "disk.ended", Message = "sandbox {Id} has been ended: {Reason}")]
    public static partial void DiskEnded(ILogger log, string id, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "disk.not_watched", Message = "the workspace of sandbox {Id} cannot be looked through: {Cause}")]
    public static partial void DiskNotWatched(ILogger log, string id, string cause);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "bubblewrap.cleanup_failed", Message = "what was left of sandbox {Id}, which could not be made, cannot be removed")]
    public static partial void CleanupFailed(ILogger log, string id, Exception cause);
}
