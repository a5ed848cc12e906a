namespace StacyVM.Server.Observability;

/// <summary>The fixed texts of diagnostics: which document of the source tree helps with what, and what is never shown.</summary>
internal static class Documents
{
    public static readonly IReadOnlyDictionary<string, string> Remediation = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["admin_control_plane"] = "docs/reference/configuration.md",
        ["deployment"] = "README.md",
        ["production_readiness"] = "SECURITY.md",
        ["public_support_matrix"] = "README.md",
        ["release_verification"] = "CONTRIBUTING.md",
        ["runtime_certification"] = "CONTRIBUTING.md",
        ["runtime_conformance"] = "CONTRIBUTING.md",
        ["security_governance"] = "SECURITY.md",
        ["support_bundle"] = "SECURITY.md",
        ["upgrade_and_rollback"] = "CHANGELOG.md",
    };

    public static readonly IReadOnlyList<string> Redactions = ["provider secrets", "registry credentials", "environment secrets", "API keys"];
}
