using Microsoft.Extensions.Logging;

namespace StacyVM.Engine.Providers.MicroVm;

internal static partial class MicroVmLog
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "microvm.prepared", Message = "{Monitor}; guest kernel {Kernel}; not bounded by control groups: {Missing}")]
    public static partial void Prepared(ILogger log, string monitor, string kernel, string missing);

    [LoggerMessage(Level = LogLevel.Information, EventName = "snapshot.made", Message = "a machine of {Image} has been saved as it is after its start: the next ones of its size go on from there")]
    public static partial void TemplateMade(ILogger log, string image);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "snapshot.failed", Message = "the start of sandbox {Id} cannot be saved for those after it")]
    public static partial void TemplateFailed(ILogger log, string id, Exception cause);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "snapshot.unusable", Message = "sandbox {Id} cannot go on from the saved start of its image, which is thrown away")]
    public static partial void TemplateUnusable(ILogger log, string id, Exception cause);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "microvm.cleanup_failed", Message = "what was left of sandbox {Id}, which could not be made, cannot be removed")]
    public static partial void CleanupFailed(ILogger log, string id, Exception cause);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "microvm.not_resumed", Message = "sandbox {Id} cannot be told to go on")]
    public static partial void NotResumed(ILogger log, string id, Exception cause);
}
