namespace StacyVM.Cli.Operations;

/// <param name="Path">The database, absolute.</param>
/// <param name="SafetyCopy">What was there before; null when nothing was.</param>
/// <param name="LacksSecretKey">The database holds secrets, and the file that opens them is not there.</param>
/// <param name="SecretKeyFile">That file.</param>
internal sealed record RestoreResult(string Path, string? SafetyCopy, bool LacksSecretKey, string SecretKeyFile);
