using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Environments;

/// <summary>Where images go, and what they are called there.</summary>
internal static class BuildTarget
{
    public const string Local = "local";
    public const string Ghcr = "ghcr";
    public const string DockerHub = "dockerhub";

    /// <summary>The nearest first: the order in which sandboxes prefer them.</summary>
    public static readonly IReadOnlyList<string> All = [Local, Ghcr, DockerHub];

    private const string Repository = "stacyvm-env";
    private const string UnknownUser = "registry-user";
    private const int MaxTagName = 24;

    /// <summary>The targets of a request, each once, in its order.</summary>
    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static IReadOnlyList<string> Check(IReadOnlyList<string?>? wished)
    {
        if (wished is null or { Count: 0 })
            return [Local];
        List<string> targets = [];
        foreach (string? text in wished)
        {
            string target = text?.Trim().ToLowerInvariant() ?? "";
            if (!All.Contains(target))
                throw new StacyVMException(ProblemKind.InvalidInput, $"target \"{SpecRules.Shown(target)}\" must be one of {string.Join(", ", All)}");
            if (!targets.Contains(target))
                targets.Add(target);
        }
        return targets;
    }

    /// <summary>The tag of a build's images: readable, and never twice the same.</summary>
    public static string TagOf(string specName, string buildId)
    {
        string name = new([.. specName.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-' ? c : '-')]);
        // A tag may not begin with a dot either.
        name = name.Trim('-').TrimStart('.', '-');
        if (name.Length > MaxTagName)
            name = name[..MaxTagName].TrimEnd('-');
        return $"{(name.Length == 0 ? "env" : name)}-{buildId[..8]}";
    }

    /// <summary>The name on the engine itself, without tag.</summary>
    public static string LocalRepository => $"local/{Repository}";

    /// <summary>The planned name, before it is known whose account takes the image.</summary>
    public static string Planned(string target, string tag) =>
        target == Local ? $"{LocalRepository}:{tag}" : $"{RemoteRepository(HostOf(target), UnknownUser)}:{tag}";

    /// <summary>The name at a registry, without tag.</summary>
    public static string RemoteRepository(string host, string user) => $"{host}/{user.ToLowerInvariant()}/{Repository}";

    /// <summary>The registry behind a target, as it stands in image names.</summary>
    public static string HostOf(string target) => target == Ghcr ? "ghcr.io" : "docker.io";
}
