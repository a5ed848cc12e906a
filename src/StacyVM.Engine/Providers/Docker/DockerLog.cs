using Microsoft.Extensions.Logging;

namespace StacyVM.Engine.Providers.Docker;

internal static partial class DockerLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "docker image.pull_started {Image}")]
    public static partial void PullStarted(ILogger logger, string image);

    [LoggerMessage(Level = LogLevel.Information, Message = "docker image.pulled {Image}")]
    public static partial void PullEnded(ILogger logger, string image);

    [LoggerMessage(Level = LogLevel.Information, Message = "docker provider.proved at {Endpoint}: agent reached by {Route}")]
    public static partial void Proved(ILogger logger, string endpoint, AgentRoute route);

    [LoggerMessage(Level = LogLevel.Information, Message = "docker files are not shared with the daemon at {Endpoint}, agents are uploaded: {Reason}")]
    public static partial void NotShared(ILogger logger, string endpoint, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "docker sandbox {Id}: what was half built could not be removed, it is removed later: {Reason}")]
    public static partial void CleanupFailed(ILogger logger, string id, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "docker {Warning}")]
    public static partial void HostWarning(ILogger logger, string warning);

    [LoggerMessage(Level = LogLevel.Debug, Message = "docker sandbox {Id}: link to its agent ended: {Reason}")]
    public static partial void LinkEnded(ILogger logger, string id, string reason);
}
