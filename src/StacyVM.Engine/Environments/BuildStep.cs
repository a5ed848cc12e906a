namespace StacyVM.Engine.Environments;

/// <summary>Where a build is, in this order.</summary>
internal static class BuildStep
{
    public const string Queued = "queued";
    public const string Validate = "validate_spec";
    public const string Generate = "generate_dockerfile";
    public const string Build = "docker_build";
    public const string Push = "tag_and_push_targets";
    public const string Finalize = "finalize";
}
