using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Secrets;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Problems;
using static StacyVM.Engine.Checks.Finding;

namespace StacyVM.Engine.Checks;

/// <summary>Looks at what a server keeps, without changing any of it.</summary>
internal static class DataChecks
{
    /// <summary>Below this much free space a server soon stops.</summary>
    private const long LeastFreeBytes = 1L << 30;

    private const UnixFileMode NotTheOwner = (UnixFileMode)0b000_111_111;

    private const int WriteAccess = 2;
    private const int PassAccess = 1;

    public static IEnumerable<(string Name, Finding Finding)> Run(StacyOptions options)
    {
        yield return ("data_dir", Directory.Exists(options.DataDir) ? Present(options.DataDir) : Absent(options.DataDir));
        if (Directory.Exists(options.DataDir))
            yield return ("data_dir.space", Space(options.DataDir));
        foreach (string name in (string[])["api-key", SecretKeyFile.Name])
        {
            string path = Path.Combine(options.DataDir, name);
            if (File.Exists(path))
                yield return (name, Secret(path));
        }
        foreach ((string, Finding) row in Database(options))
            yield return row;
    }

    private static Finding Present(string directory)
    {
        if (Libc.Access(directory, WriteAccess | PassAccess) != 0)
            return Fail($"{directory} cannot be written by this user", "run the server as the user that owns it, or set data_dir");
        return DataDirectoryLock.ServerOf(directory) is { } server ? Pass($"{directory}, in use by the server with process id {server}") : Pass(directory);
    }

    private static Finding Absent(string directory)
    {
        string? parent = directory;
        while (parent is not null && !Directory.Exists(parent))
        {
            if (File.Exists(parent))
                return Fail($"{parent} is a file, so {directory} cannot be made", "set data_dir to a directory");
            parent = Path.GetDirectoryName(parent);
        }
        return parent is null || Libc.Access(parent, WriteAccess | PassAccess) != 0
            ? Unfit($"{directory} is not there and this user cannot make it", $"make it and give it to the server's user, or set data_dir")
            : Pass($"{directory} will be made at the first start");
    }

    private static Finding Space(string directory)
    {
        try
        {
            long free = new DriveInfo(directory).AvailableFreeSpace;
            string text = $"{free / (1L << 20)} MiB free";
            return free < LeastFreeBytes ? Unfit(text, "free space on the disk of the data directory") : Pass(text);
        }
        catch (IOException e)
        {
            return Warn(e.Message, "look at the disk of the data directory");
        }
    }

    private static Finding Secret(string path) => (File.GetUnixFileMode(path) & NotTheOwner) == 0
        ? Pass($"{path} is readable by its owner alone")
        : Unfit($"{path} is open to others", $"chmod 600 {path}");

    private static IEnumerable<(string, Finding)> Database(StacyOptions options)
    {
        string path = options.Database.Path;
        string? parent = Path.GetDirectoryName(path);
        if (!File.Exists(path))
        {
            yield return ("database", parent is null || (!Directory.Exists(parent) && parent != options.DataDir)
                ? Unfit($"the directory of {path} is not there", $"make {parent}, or set database.path")
                : Pass($"{path} will be made at the first start"));
            yield break;
        }
        DatabaseInspection? found = null;
        Finding finding;
        try
        {
            found = DatabaseInspection.Of(path);
            finding = Pass($"{path} is whole: schema {found.Version}, {found.Bytes / 1024} KiB");
        }
        catch (StacyVMException e)
        {
            finding = Fail(e.Message, "restore a backup: stacyvm db restore <backup> --yes");
        }
        yield return ("database.integrity", finding);
        if (found is { Pending: > 0 })
            yield return ("database.schema", Warn($"{found.Pending} steps will be applied at the next start", "try them on a copy first: stacyvm upgrade rehearse"));
        if (found is { HoldsSealedSecrets: true } && !File.Exists(Path.Combine(options.DataDir, SecretKeyFile.Name)))
            yield return (SecretKeyFile.Name, Fail($"the database holds secrets, and the file that opens them is not in {options.DataDir}", $"put {SecretKeyFile.Name} back from where you kept it; without it the secrets have to be stored anew"));
    }
}
