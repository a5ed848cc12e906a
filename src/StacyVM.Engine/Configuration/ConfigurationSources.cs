using System.Collections;

namespace StacyVM.Engine.Configuration;

/// <summary>Everything outside the program that decides the configuration, so that a test can bring its own.</summary>
internal sealed record ConfigurationSources
{
    /// <summary>The file named by <c>--config</c>; it must exist.</summary>
    public string? ConfigPath { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Dotted key to text: what was given on the command line.</summary>
    public IReadOnlyDictionary<string, string> Flags { get; init; } = new Dictionary<string, string>();

    public required string WorkingDirectory { get; init; }

    /// <summary>Null where the process has none.</summary>
    public string? HomeDirectory { get; init; }

    public bool IsRoot { get; init; }

    /// <summary>The sources of this process.</summary>
    public static ConfigurationSources OfProcess(string? configPath, IReadOnlyDictionary<string, string> flags)
    {
        var environment = new Dictionary<string, string>();
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
            environment[(string)entry.Key] = (string?)entry.Value ?? "";
        string home = System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile);
        return new ConfigurationSources
        {
            ConfigPath = configPath,
            Environment = environment,
            Flags = flags,
            WorkingDirectory = Directory.GetCurrentDirectory(),
            HomeDirectory = home.Length == 0 ? null : home,
            IsRoot = System.Environment.IsPrivilegedProcess,
        };
    }

    /// <summary>A variable's value; null when it is not there or empty, which mean the same.</summary>
    public string? Variable(string name) => Environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>A path as the user meant it: <c>~/</c> is home, a relative one starts at the working directory.</summary>
    public string Absolute(string path)
    {
        if (HomeDirectory is not null && path.StartsWith("~/", StringComparison.Ordinal))
            path = Path.Combine(HomeDirectory, path[2..]);
        return Path.GetFullPath(path, WorkingDirectory);
    }

    /// <summary>Where a file is made when there is none: the last of the places in which a start looks for one.</summary>
    public string NewFile() => Absolute(HomeDirectory is null ? "stacyvm.yaml" : "~/.stacyvm/config.yaml");

    /// <summary>Where data lives when nothing says otherwise; null when there is no home directory to put it in.</summary>
    public string? StandardDataDir()
    {
        if (IsRoot)
            return "/var/lib/stacyvm";
        // The XDG specification has relative values ignored.
        if (Variable("XDG_DATA_HOME") is { } data && Path.IsPathRooted(data))
            return Path.Combine(data, "stacyvm");
        return HomeDirectory is null ? null : Path.Combine(HomeDirectory, ".local/share/stacyvm");
    }
}
