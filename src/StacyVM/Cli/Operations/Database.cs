using StacyVM.Engine.Configuration;
using StacyVM.Engine.Secrets;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Operations;

/// <summary>The database of this machine's server, or another that was named.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="DataDirectory">Of the server that uses it.</param>
/// <param name="IsOfServer">It is the one that the configuration names.</param>
internal sealed record Database(string Path, string DataDirectory, bool IsOfServer)
{
    public static Database Of(ConfigurationSources sources, string? named)
    {
        StacyOptions options = ConfigurationLoader.Load(sources).Options;
        string path = named is null ? options.Database.Path : sources.Absolute(named);
        return new Database(path, options.DataDir, path == options.Database.Path);
    }

    /// <summary>Copies it, also while a server writes to it.</summary>
    public BackupResult Backup(string target, bool replace)
    {
        DatabaseInspection found = DatabaseBackup.Write(Path, target, replace);
        return new BackupResult(target, found.Bytes, found.Version, found.HoldsSealedSecrets, KeyFile);
    }

    /// <summary>Puts a backup in its place.</summary>
    /// <exception cref="StacyVMException">A server has the data directory, or the file open.</exception>
    public RestoreResult Restore(string backup, TimeProvider time)
    {
        using DataDirectoryLock? held = IsOfServer ? DataDirectoryLock.Take(DataDirectory) : null;
        string? safety = DatabaseRestore.Run(backup, Path, time.GetUtcNow().UtcDateTime);
        DatabaseInspection found = DatabaseInspection.Of(Path);
        return new RestoreResult(Path, safety, found.HoldsSealedSecrets && !File.Exists(KeyFile), KeyFile);
    }

    private string KeyFile => System.IO.Path.Combine(DataDirectory, SecretKeyFile.Name);
}
