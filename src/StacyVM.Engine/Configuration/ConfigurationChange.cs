namespace StacyVM.Engine.Configuration;

/// <summary>What a change of the configuration did.</summary>
/// <param name="File">The file that was written.</param>
/// <param name="Backup">Where its former content is; null when there was no file.</param>
/// <param name="Applied">Keys whose new values are in force.</param>
/// <param name="AfterRestart">Keys whose new values wait for a restart.</param>
/// <param name="Overridden">Keys that a variable or a flag sets, over the file.</param>
internal sealed record ConfigurationChange(
    string File, string? Backup, IReadOnlyList<string> Applied, IReadOnlyList<string> AfterRestart, IReadOnlyList<string> Overridden);
