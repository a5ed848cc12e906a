using StacyVM.Engine.Images.Oci;

namespace StacyVM.Engine.Images.Archives;

/// <summary>An image found in an archive, its layers still in there.</summary>
/// <param name="Document">Its configuration as it stands there.</param>
/// <param name="Config">The same, read.</param>
/// <param name="Names">What the archive calls it.</param>
/// <param name="Layers">Member to what it must be without compression, lowest first.</param>
internal sealed record ArchivedImage(byte[] Document, OciConfig Config, IReadOnlyList<string> Names, IReadOnlyList<(string Member, ImageDigest Diff)> Layers);
