namespace StacyVM.Engine.Environments;

/// <summary>What a build can be; the last three are final.</summary>
internal static class BuildStatus
{
    public const string Queued = "queued";
    public const string Building = "building";
    public const string Ready = "ready";
    public const string Failed = "failed";
    public const string Canceled = "canceled";

    public static bool IsFinal(string status) => status is Ready or Failed or Canceled;
}
