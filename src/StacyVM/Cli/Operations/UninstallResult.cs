namespace StacyVM.Cli.Operations;

/// <param name="Removed">Files and directories that are gone.</param>
/// <param name="Shells">Start files whose block is gone.</param>
/// <param name="Left">What lies in our directories and is not ours.</param>
internal sealed record UninstallResult(IReadOnlyList<string> Removed, IReadOnlyList<string> Shells, IReadOnlyList<string> Left);
