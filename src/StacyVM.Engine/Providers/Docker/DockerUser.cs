using System.Globalization;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Numeric user and group of a container. Numbers, because a name would be looked up in the image's own passwd file.</summary>
internal readonly record struct DockerUser(uint Uid, uint Gid)
{
    /// <summary>What runs when nothing is configured; root has to be written out.</summary>
    public static readonly DockerUser Default = new(1000, 1000);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}");

    /// <param name="text">Empty, <c>uid</c> or <c>uid:gid</c>; a missing group is the user's number.</param>
    /// <exception cref="FormatException">Not numbers.</exception>
    public static DockerUser Parse(string text)
    {
        if (text.Length == 0)
            return Default;
        string[] parts = text.Split(':');
        if (parts.Length <= 2
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint uid)
            && uint.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out uint gid))
            return new DockerUser(uid, gid);
        throw new FormatException($"providers.docker.user is '{text}'; write numbers, such as 1000:1000, or 0:0 for root");
    }
}
