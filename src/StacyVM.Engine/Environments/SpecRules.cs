using System.Text;
using System.Text.RegularExpressions;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Environments;

/// <summary>
/// What a spec may say. Strict, because its texts become arguments of programs that run as root in a build: none of them can be an option, a second
/// word, a line of its own or anything that pip and apt-get understand as more than a package.
/// </summary>
internal static partial class SpecRules
{
    private const int MaxNameBytes = 128;
    private const int MaxReference = 255;
    private const int MaxPackages = 200;
    private const int MaxPackage = 200;

    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static void Check(EnvironmentSpec spec)
    {
        CheckName(spec.Name);
        CheckImage(spec.BaseImage);
        CheckList("python_packages", spec.PythonPackages, PythonPackage(), "a name with extras and version constraints, without blanks, such as pandas[excel]>=2,<3");
        CheckList("apt_packages", spec.AptPackages, DebianPackage(), "the name of a Debian package, with =version if need be, such as libpq5 or curl=7.88.1-10");
        CheckPythonVersion(spec.PythonVersion);
        PythonBase(spec.BaseImage, spec.PythonVersion);
    }

    /// <summary>Trimmed, without blanks and duplicates.</summary>
    public static IReadOnlyList<string> Clean(IReadOnlyList<string?>? list) =>
        [.. (list ?? []).Select(text => text?.Trim() ?? "").Where(text => text.Length > 0).Distinct(StringComparer.Ordinal)];

    /// <summary>
    /// The base image under a wish for a Python version. Python's own image without a tag gets the version as its tag; with a tag that says another
    /// version the wish cannot be met. About other images only a build can tell.
    /// </summary>
    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static string PythonBase(string image, string version)
    {
        if (version.Length == 0 || image.Contains('@'))
            return image;
        string last = image[(image.LastIndexOf('/') + 1)..];
        int colon = last.IndexOf(':');
        if ((colon < 0 ? last : last[..colon]) != "python")
            return image;
        if (colon < 0)
            return $"{image}:{version}";
        Match tag = LeadingVersion().Match(last[(colon + 1)..]);
        if (tag.Success && !IsWithin(tag.Value, version) && !IsWithin(version, tag.Value))
            throw Invalid($"python_version is {version}, and base_image {image} has Python {tag.Value}: change one of them, or leave python_version out");
        return image;
    }

    public static void CheckImage(string image)
    {
        if (image.Length == 0)
            throw Invalid("base_image is required");
        if (image.Length > MaxReference || !Reference().IsMatch(image))
            throw Invalid($"base_image \"{Shown(image)}\" is not an image reference such as debian:12-slim or ghcr.io/me/base@sha256:…");
        if (image == "scratch")
            throw Invalid("base_image scratch is empty: nothing can be installed in it");
    }

    public static string Shown(string text) => SpawnValidation.Shown(text);

    private static void CheckName(string name)
    {
        if (name.Length == 0)
            throw Invalid("name is required");
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes || name.Any(char.IsControl))
            throw Invalid($"name must have at most {MaxNameBytes} bytes and no control characters");
    }

    private static void CheckList(string field, IReadOnlyList<string> packages, Regex rule, string expectation)
    {
        if (packages.Count > MaxPackages)
            throw Invalid($"{field} has {packages.Count} entries, and may have {MaxPackages}");
        foreach (string package in packages)
        {
            if (package.Length > MaxPackage || !rule.IsMatch(package))
                throw Invalid($"{field}: \"{Shown(package)}\" must be {expectation}");
        }
    }

    private static void CheckPythonVersion(string version)
    {
        if (version.Length > 0 && !Version().IsMatch(version))
            throw Invalid($"python_version \"{Shown(version)}\" must be a version of Python 3 such as 3.12 or 3.12.4");
    }

    private static bool IsWithin(string version, string of) => version == of || version.StartsWith(of + ".", StringComparison.Ordinal);

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);

    // \z and not $, which would let a line break through.
    [GeneratedRegex(@"\A(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?\z")]
    private static partial Regex Reference();

    [GeneratedRegex(@"\A[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:,[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)*\])?(?:(?:===?|~=|!=|<=?|>=?)[A-Za-z0-9][A-Za-z0-9.*+!_-]*(?:,(?:===?|~=|!=|<=?|>=?)[A-Za-z0-9][A-Za-z0-9.*+!_-]*)*)?\z")]
    private static partial Regex PythonPackage();

    // No dash at the end: to apt-get that is the wish to remove the package.
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9+.-]*[a-z0-9+](?::[a-z0-9]+)?(?:=[A-Za-z0-9](?:[A-Za-z0-9.+~:-]*[A-Za-z0-9.+~])?)?\z")]
    private static partial Regex DebianPackage();

    [GeneratedRegex(@"\A3(?:\.[0-9]{1,2}){1,2}\z")]
    private static partial Regex Version();

    [GeneratedRegex(@"\A[0-9]+(?:\.[0-9]+)*")]
    private static partial Regex LeadingVersion();
}
