using StacyVM.Cli.Completion;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Operations;

/// <summary>
/// What of StacyVM is on this machine. Only names that the server and its command line make are ours, and in a data directory only when it bears
/// an installation's mark: whatever else lies there is another's and stays.
/// </summary>
internal sealed class Installation(ConfigurationSources sources, string? binary)
{
    private const string Marker = "installation-id";

    /// <summary>What a server makes in its data directory. Backups are not here: they are the operator's.</summary>
    private static readonly string[] DataNames =
    [
        "api-key", "secret-key", "server.lock", "server.pid", "stacyvm.db", "stacyvm.db-wal", "stacyvm.db-shm", "bin", "bubblewrap", "checkpoints", "images", "microvm", "proot", "sandboxes",
        Marker,
    ];

    /// <summary>Where the data is; a configuration that does not load ends everything here, before anything is touched.</summary>
    public StacyOptions Options { get; } = ConfigurationLoader.Load(sources).Options;

    public string DataDirectory => Options.DataDir;

    /// <summary>The directory of this user's configuration; null where there is no home.</summary>
    private string? Home => sources.HomeDirectory is { } home ? Path.Combine(home, ".stacyvm") : null;

    /// <summary>The directory has the mark that a server makes at its first start.</summary>
    public bool HasData
    {
        get
        {
            try
            {
                return SandboxId.IsSafe(File.ReadAllText(Path.Combine(DataDirectory, Marker)).Trim());
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <summary>Everything that would be removed, in the order of the removal.</summary>
    public IEnumerable<string> Ours()
    {
        if (HasData)
        {
            foreach (string path in DataNames.Select(name => Path.Combine(DataDirectory, name)).Where(Path.Exists))
                yield return path;
        }
        foreach (string path in Database().Where(Path.Exists))
            yield return path;
        if (Home is { } home && Directory.Exists(home))
        {
            foreach (string path in Directory.EnumerateFiles(home).Where(path => IsConfiguration(Path.GetFileName(path))).Order())
                yield return path;
        }
        if (binary is not null && Path.GetFileName(binary) == "stacyvm" && File.Exists(binary))
            yield return binary;
    }

    /// <summary>Start files of shells with a block of ours.</summary>
    public IReadOnlyList<string> Shells() => sources.HomeDirectory is { } home ? ShellBlocks.Installed(home) : [];

    /// <summary>Removes it, the binary last. Directories go when nothing is left in them.</summary>
    /// <returns>What was removed, and what is left in our directories.</returns>
    public UninstallResult Remove()
    {
        var removed = new List<string>();
        List<string> ours = [.. Ours()];
        foreach (string path in ours.Where(path => path != binary))
            Remove(path, removed);
        var left = new List<string>();
        foreach (string directory in ((IEnumerable<string?>)[DataDirectory, Home]).OfType<string>().Where(Directory.Exists))
        {
            string[] others = Directory.GetFileSystemEntries(directory);
            if (others.Length == 0)
                Remove(directory, removed);
            else if (directory != DataDirectory || removed.Exists(path => path.StartsWith(directory + "/", StringComparison.Ordinal)))
                left.AddRange(others.Order());
        }
        IReadOnlyList<string> shells = sources.HomeDirectory is { } home ? ShellBlocks.Remove(home) : [];
        if (binary is not null && ours.Contains(binary))
            Remove(binary, removed);
        return new UninstallResult(removed, shells, left);
    }

    private static bool IsConfiguration(string name) => name == "config.yaml" || name.StartsWith("config.yaml.bak-", StringComparison.Ordinal);

    /// <summary>A database outside of the data directory, when it is one of ours.</summary>
    private string[] Database()
    {
        string path = Options.Database.Path;
        if (!File.Exists(path) || Path.GetDirectoryName(path) == DataDirectory)
            return [];
        try
        {
            DatabaseFile.RequireOurs(path);
            return [path, path + "-wal", path + "-shm"];
        }
        catch (StacyVMException)
        {
            return [];
        }
    }

    private static void Remove(string path, List<string> removed)
    {
        try
        {
            if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
            removed.Add(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StacyVMException(ProblemKind.Forbidden, $"{path} cannot be removed ({fault.Message}): run this as the user it belongs to; what came before it is gone", fault);
        }
    }
}
