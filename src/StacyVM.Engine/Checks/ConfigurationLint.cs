using StacyVM.Engine.Configuration;

namespace StacyVM.Engine.Checks;

/// <summary>Reads a configuration with the eyes of an operator.</summary>
internal static class ConfigurationLint
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>1 does it load, 2 what is odd in what was written, 3 who may read it, 4 the table of rules.</summary>
    /// <param name="sources">Where it comes from.</param>
    /// <param name="production">What is only a warning elsewhere is then a failure.</param>
    public static IReadOnlyList<Check> Run(ConfigurationSources sources, bool production)
    {
        LoadedConfiguration loaded;
        try
        {
            // 1.
            loaded = ConfigurationLoader.Load(sources);
        }
        catch (ConfigurationException faults)
        {
            return Faults(faults);
        }
        return Run(loaded, production);
    }

    public static IReadOnlyList<Check> Run(LoadedConfiguration loaded, bool production)
    {
        var values = new ConfiguredValues(loaded);
        List<Check> found = [new("config", CheckStatus.Pass, loaded.File is null ? "no file: defaults, variables and flags" : $"loaded {loaded.File}")];
        // 2. Keys without effect that a rule speaks of are told by it.
        string[] ruled = [.. LintRules.All.SelectMany(rule => rule.Keys)];
        foreach (ConfigurationFault warning in loaded.Warnings.Where(warning => !ruled.Contains(warning.Key)))
            found.Add(new(warning.Key, CheckStatus.Warn, $"{warning.What} ({warning.Place})", warning.Remedy));
        // 3.
        if (Mode(values) is { } mode)
            found.Add(mode.ToCheck("config.mode", production));
        // 4.
        foreach (LintRule rule in LintRules.All)
        {
            if (rule.Run(values) is { } finding)
                found.Add(finding.ToCheck(rule.Name, production));
        }
        return found;
    }

    /// <summary>Every fault as a check of its own.</summary>
    public static IReadOnlyList<Check> Faults(ConfigurationException faults) =>
        [.. faults.Faults.Select(fault => new Check("config", CheckStatus.Fail, $"{fault.Key}{(fault.Place.Length == 0 ? "" : $" ({fault.Place})")}: {fault.What}", fault.Remedy))];

    private static Finding? Mode(ConfiguredValues values)
    {
        if (values.Loaded.File is not { } file || !File.Exists(file))
            return null;
        bool holdsSecret = values.Loaded.Written.Any(entry =>
            ConfigurationKeys.Find(entry.Key) is { IsSecret: true } && entry.Value is { IsFromFile: false, Origin.Layer: ConfigurationLayer.File });
        return holdsSecret && (File.GetUnixFileMode(file) & Others) != 0
            ? Finding.Unfit($"{file} holds secrets and others may read it", $"chmod 600 {file}")
            : null;
    }
}
