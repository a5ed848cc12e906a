namespace StacyVM.Cli.Copy;

/// <param name="Files">How many.</param>
/// <param name="Bytes">In all.</param>
/// <param name="Skipped">Links and special files that were left out.</param>
internal sealed record CopyResult(int Files, long Bytes, IReadOnlyList<string> Skipped)
{
    public static CopyResult One(long bytes) => new(1, bytes, []);
}
