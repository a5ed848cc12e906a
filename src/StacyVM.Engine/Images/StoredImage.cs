using StacyVM.Engine.Images.Oci;

namespace StacyVM.Engine.Images;

/// <summary>An image that is here, layers unpacked.</summary>
/// <param name="Digest">Of its configuration: two images with the same one are the same.</param>
/// <param name="Names">Canonical names, sorted; none for one that is only in use.</param>
/// <param name="Layers">Lowest first.</param>
/// <param name="Bytes">Of its unpacked layers, those it shares with others included.</param>
/// <param name="CreatedAt">When it was built, as it says; UTC.</param>
/// <param name="StoredAt">When it came here, UTC.</param>
/// <param name="Config">How programs are started in it.</param>
internal sealed record StoredImage(
    ImageDigest Digest, IReadOnlyList<string> Names, IReadOnlyList<ImageDigest> Layers, long Bytes, DateTime? CreatedAt, DateTime StoredAt, ImageConfig Config)
{
    /// <summary>The name people write, or the digest where it has none.</summary>
    public string Title => Names.Count > 0 ? ImageReference.Parse(Names[0]).Familiar : Digest.ToString();
}

/// <summary>What the image says of programs that run in it. Texts of a stranger: whoever uses them checks them.</summary>
/// <param name="User">User, uid, user:group or uid:gid; empty when it names none.</param>
/// <param name="WorkingDirectory">Empty when it names none.</param>
/// <param name="Environment">Names and values.</param>
/// <param name="Entrypoint">And what follows it as <paramref name="Command"/> are what <c>docker run</c> would start.</param>
internal sealed record ImageConfig(
    string User, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment, IReadOnlyList<string> Entrypoint, IReadOnlyList<string> Command)
{
    public static ImageConfig From(OciRunConfig? config)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string variable in config?.Env ?? [])
        {
            // Neither a name without a value nor a zero byte can stand in an environment.
            if (variable.IndexOf('=') is > 0 and int equals && !variable.Contains('\0'))
                environment[variable[..equals]] = variable[(equals + 1)..];
        }
        return new ImageConfig(config?.User?.Trim() ?? "", config?.WorkingDir ?? "", environment, config?.Entrypoint ?? [], config?.Cmd ?? []);
    }
}
