namespace StacyVM.Engine.Images.Layers;

internal enum TarKind
{
    File,
    HardLink,
    SymbolicLink,
    Directory,

    /// <summary>Devices, pipes and whatever else: nothing that an image needs.</summary>
    Other,
}

/// <summary>One entry of an archive.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">Relative, without empty parts, <c>.</c> or <c>..</c>; empty for the root.</param>
/// <param name="Target">Of links: where they lead; of hard links in the form of <paramref name="Path"/>.</param>
/// <param name="Mode">Permissions as they stand there.</param>
/// <param name="Size">Bytes of content that follow.</param>
/// <param name="ChangedAt">Seconds since 1970.</param>
internal sealed record TarEntry(TarKind Kind, string Path, string Target, uint Mode, long Size, long ChangedAt);
