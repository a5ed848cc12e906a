using SystemInfoResponse = Docker.DotNet.Models.SystemInfoResponse;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Known holes of old runtimes. The daemon tells the version of its runc.</summary>
internal static class RuntimeVersion
{
    private static readonly Version WorkingDirectoryFix = new(1, 1, 12);

    /// <summary>First fixed releases for CVE-2025-31133, -52565 and -52881, per line.</summary>
    private static readonly Version[] MaskedPathFixes = [new(1, 2, 8), new(1, 3, 3), new(1, 4, 0)];

    /// <returns>Null when nothing is known against it.</returns>
    public static string? Warning(SystemInfoResponse info) => Warning(info.RuncCommit?.ID ?? "");

    /// <param name="text">What the daemon says: a version, or a commit in some builds.</param>
    public static string? Warning(string text)
    {
        if (Parse(text) is not { } version)
            return null;
        if (version < WorkingDirectoryFix)
            return $"runc {version} is older than 1.1.12 and open to CVE-2024-21626 unless the distribution has patched it; upgrade runc";
        Version fix = Array.Find(MaskedPathFixes, line => version <= line || (version.Major == line.Major && version.Minor == line.Minor)) ?? MaskedPathFixes[^1];
        return version < fix
            ? $"runc {version} is open to CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881 unless the distribution has patched it; upgrade runc to {fix} or later"
            : null;
    }

    private static Version? Parse(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan().TrimStart('v');
        int end = digits.IndexOfAnyExcept("0123456789.");
        return Version.TryParse(end < 0 ? digits : digits[..end], out Version? version) && version.Build >= 0 ? version : null;
    }
}
