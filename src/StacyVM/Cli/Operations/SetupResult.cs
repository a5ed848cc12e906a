namespace StacyVM.Cli.Operations;

/// <param name="File">The configuration file.</param>
/// <param name="Changed">False when it was already so.</param>
/// <param name="Backup">The file as it was before; null when there was none, or nothing changed.</param>
/// <param name="Shells">Start files that got a block.</param>
internal sealed record SetupResult(string File, bool Changed, string? Backup, IReadOnlyList<string> Shells);
