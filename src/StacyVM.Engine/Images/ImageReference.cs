using System.Text.RegularExpressions;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images;

/// <summary>
/// Name of an image, as Docker reads it: <c>alpine</c> is <c>docker.io/library/alpine:latest</c>. Two spellings of one image are equal.
/// </summary>
/// <param name="Registry">Host and port, e.g. <c>docker.io</c> or <c>localhost:5000</c>.</param>
/// <param name="Repository">Path on it, e.g. <c>library/alpine</c>.</param>
/// <param name="Tag">Null only where a digest stands alone.</param>
/// <param name="Digest">What the image must be, whatever the tag says now; null: whatever the tag names.</param>
internal sealed partial record ImageReference(string Registry, string Repository, string? Tag, ImageDigest? Digest)
{
    public const string DockerHub = "docker.io";

    private const string Official = "library/";
    private const string DefaultTag = "latest";
    private const int MaxRepository = 255;

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for a text that names no image.</exception>
    public static ImageReference Parse(string text) =>
        TryParse(text) ?? throw new StacyVMException(
            ProblemKind.InvalidInput, $"\"{text}\" is not an image name: write it as name, name:tag or registry/name:tag, in lower-case letters");

    /// <returns>Null for a text that names no image.</returns>
    public static ImageReference? TryParse(string text)
    {
        string rest = text.Trim();
        ImageDigest? digest = null;
        if (rest.IndexOf('@') is >= 0 and int at)
        {
            digest = ImageDigest.TryParse(rest[(at + 1)..]);
            if (digest is null)
                return null;
            rest = rest[..at];
        }
        string? tag = null;
        if (rest.LastIndexOf(':') is >= 0 and int colon && colon > rest.LastIndexOf('/'))
        {
            tag = rest[(colon + 1)..];
            if (!TagPattern().IsMatch(tag))
                return null;
            rest = rest[..colon];
        }
        (string registry, string repository) = SplitRegistry(rest);
        if (repository.Length is 0 or > MaxRepository || !RepositoryPattern().IsMatch(repository) || !RegistryPattern().IsMatch(registry))
            return null;
        return new ImageReference(registry, repository, tag ?? (digest is null ? DefaultTag : null), digest);
    }

    /// <summary>Shortest spelling, as people write it.</summary>
    public string Familiar
    {
        get
        {
            string name = Registry != DockerHub ? $"{Registry}/{Repository}"
                : Repository.StartsWith(Official, StringComparison.Ordinal) ? Repository[Official.Length..] : Repository;
            return name + Suffix;
        }
    }

    /// <summary>The one spelling that all others of this image come to.</summary>
    public override string ToString() => $"{Registry}/{Repository}{Suffix}";

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <summary>The first part is a registry when it looks like a host: with a dot or a port, or <c>localhost</c>.</summary>
    private static (string Registry, string Repository) SplitRegistry(string name)
    {
        int slash = name.IndexOf('/');
        string first = slash < 0 ? "" : name[..slash];
        if (first.Contains('.') || first.Contains(':') || first == "localhost")
        {
            string host = first is "index.docker.io" or "registry-1.docker.io" ? DockerHub : first;
            string path = name[(slash + 1)..];
            return (host, host == DockerHub && !path.Contains('/') ? Official + path : path);
        }
        return (DockerHub, slash < 0 ? Official + name : name);
    }

    [GeneratedRegex(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex RepositoryPattern();

    [GeneratedRegex(@"\A([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?\z")]
    private static partial Regex RegistryPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex TagPattern();
}
