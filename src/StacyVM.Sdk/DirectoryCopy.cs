namespace StacyVM.Sdk;

/// <summary>What a copy of a directory did.</summary>
/// <param name="Files">Files copied.</param>
/// <param name="Bytes">Their size in all.</param>
/// <param name="Skipped">Paths of links, sockets, devices and the like that were left out.</param>
public sealed record DirectoryCopy(int Files, long Bytes, IReadOnlyList<string> Skipped);
