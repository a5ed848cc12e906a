namespace StacyVM.Cli.Operations;

/// <param name="File">The file that was read; null when there is none.</param>
/// <param name="Values">Every key that this version uses, and those that were set.</param>
internal sealed record ShownConfiguration(string? File, IReadOnlyList<ShownValue> Values);
