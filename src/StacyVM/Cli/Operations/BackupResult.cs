namespace StacyVM.Cli.Operations;

/// <param name="Path">The backup, absolute.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="SchemaVersion">Of the database.</param>
/// <param name="NeedsSecretKey">It holds secrets that only the key file opens.</param>
/// <param name="SecretKeyFile">That file; a backup does not hold it.</param>
internal sealed record BackupResult(string Path, long Bytes, int SchemaVersion, bool NeedsSecretKey, string SecretKeyFile);
