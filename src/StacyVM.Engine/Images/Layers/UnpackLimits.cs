namespace StacyVM.Engine.Images.Layers;

/// <summary>What one image may unpack to: an archive of a few kilobytes can describe any amount.</summary>
/// <param name="MaxBytes">Content of all files of a layer.</param>
/// <param name="MaxEntries">Files, directories and links of a layer.</param>
internal sealed record UnpackLimits(long MaxBytes, int MaxEntries = 2_000_000);
