namespace StacyVM.Engine.Configuration;

/// <summary>
/// Builds the options, weakest layer first: defaults, one file, <c>STACYVM_*</c> variables, flags. Every fault is found before any is reported.
/// </summary>
internal sealed class ConfigurationLoader
{
    // Variables of the command line and of the build that are no keys.
    private static readonly string[] OtherVariables =
        ["STACYVM_CONFIG", "STACYVM_API_KEY", "STACYVM_ADMIN_API_KEY", "STACYVM_SERVER", "STACYVM_USER_ID", "STACYVM_BINARY", "STACYVM_WORKER_BOOTSTRAP_ADMIN_KEY"];

    private readonly ConfigurationSources _sources;
    private readonly Dictionary<string, ConfigurationValue> _values = [];
    private readonly List<ConfigurationFault> _faults = [];
    private readonly List<ConfigurationFault> _warnings = [];

    private ConfigurationLoader(ConfigurationSources sources) => _sources = sources;

    /// <summary>Loads the configuration.</summary>
    /// <exception cref="ConfigurationException">With every fault that was found.</exception>
    public static LoadedConfiguration Load(ConfigurationSources sources) => new ConfigurationLoader(sources).Load();

    private LoadedConfiguration Load()
    {
        // 1. Collect what was written, each layer over the one before.
        string? file = FindFile();
        if (file is not null)
            AddFile(file);
        AddEnvironment();
        AddFlags();

        // 2. Secrets that stand in files of their own.
        foreach (ConfigurationKey key in ConfigurationKeys.All.Where(key => key is { IsSecret: true, IsUsed: true }))
            ReadSecretFile(key);

        // 3. Parse every value into its place.
        var options = new StacyOptions { DataDir = "" };
        foreach (ConfigurationKey key in ConfigurationKeys.All)
            options = Apply(key, options);

        // 4. Fill in what depends on the machine, then check what no single key shows.
        options = Completed(options);
        _faults.AddRange(ConfigurationRules.Check(options, Place));
        if (_faults.Count > 0)
            throw new ConfigurationException(_faults);
        return new LoadedConfiguration
        {
            Options = options,
            File = file,
            Written = _values,
            Warnings = _warnings,
        };
    }

    /// <summary>A file that was asked for must exist; of the usual places, the first that exists counts and they are not merged.</summary>
    private string? FindFile()
    {
        if ((_sources.ConfigPath ?? _sources.Variable("STACYVM_CONFIG")) is { } named)
            return _sources.Absolute(named);
        string[] usual = _sources.HomeDirectory is null ? ["stacyvm.yaml"] : ["stacyvm.yaml", "~/.stacyvm/config.yaml"];
        return usual.Select(_sources.Absolute).FirstOrDefault(File.Exists);
    }

    private void AddFile(string path)
    {
        foreach ((string name, ConfigurationValue value) in ConfigurationFile.Read(path, _faults))
        {
            if (IsKnown(name))
                _values[name] = value;
            else
                WarnUnknown(name, value.Origin.Place, NearestName.Of(name, ConfigurationKeys.All.Select(key => key.Name)));
        }
    }

    private void AddEnvironment()
    {
        var variables = new Dictionary<string, string>();
        foreach (ConfigurationKey key in ConfigurationKeys.All)
        {
            variables[key.Variable] = key.Name;
            if (key.IsSecret)
                variables[key.Variable + "_FILE"] = key.FileKey;
        }
        foreach ((string variable, string text) in _sources.Environment)
        {
            if (text.Length == 0 || !variable.StartsWith("STACYVM_", StringComparison.Ordinal))
                continue;
            if (variables.TryGetValue(variable, out string? name))
                _values[name] = new(ConfigurationOrigin.Environment(variable)) { Text = text };
            // Other programs have variables of this prefix too: only a near miss is worth a word.
            else if (!OtherVariables.Contains(variable) && NearestName.Of(variable, variables.Keys) is { } nearest)
                WarnUnknown(variable, "environment", nearest);
        }
    }

    private void AddFlags()
    {
        foreach ((string name, string text) in _sources.Flags)
        {
            if (IsKnown(name))
                _values[name] = new(ConfigurationOrigin.Flag(name)) { Text = text };
            else
                _faults.Add(new(name, "flag", "there is no such key", "see the reference of the configuration"));
        }
    }

    private void ReadSecretFile(ConfigurationKey key)
    {
        if (!_values.Remove(key.FileKey, out ConfigurationValue? named) || named.Text is not { Length: > 0 } path)
            return;
        if (_values.TryGetValue(key.Name, out ConfigurationValue? inline) && inline.Text is { Length: > 0 })
        {
            _faults.Add(new(key.FileKey, named.Origin.Place, $"{key.Name} and {key.FileKey} cannot both be set", "remove one of them"));
            return;
        }
        try
        {
            string secret = File.ReadAllText(_sources.Absolute(path)).Trim();
            if (secret.Length == 0)
                _faults.Add(new(key.FileKey, named.Origin.Place, $"{path} is empty", "write the secret into it"));
            _values[key.Name] = new(named.Origin) { Text = secret, IsFromFile = true };
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            _faults.Add(new(key.FileKey, named.Origin.Place, fault.Message, "name a file that the server can read"));
        }
    }

    private StacyOptions Apply(ConfigurationKey key, StacyOptions options)
    {
        if (!_values.TryGetValue(key.Name, out ConfigurationValue? value))
            return options;
        StacyOptions? applied = key.Apply(options, value);
        if (applied is null)
        {
            string written = key.IsSecret ? "the value" : value.ToString();
            _faults.Add(new(key.Name, value.Origin.ToString(), $"{written} does not fit", $"it must be {key.Expectation}"));
        }
        else if (!key.IsUsed)
        {
            _warnings.Add(new(key.Name, value.Origin.ToString(), "not used by this version", "the setting has no effect: remove it, or do not rely on it"));
        }
        return applied ?? options;
    }

    private StacyOptions Completed(StacyOptions options)
    {
        string? dataDir = options.DataDir.Length > 0 ? _sources.Absolute(options.DataDir) : _sources.StandardDataDir();
        if (dataDir is null)
            _faults.Add(new("data_dir", "", "there is no home directory to keep data in", "set data_dir or STACYVM_DATA_DIR"));
        string database = options.Database.Path.Length > 0
            ? _sources.Absolute(options.Database.Path)
            : Path.Combine(dataDir ?? "", "stacyvm.db");
        return options with { DataDir = dataDir ?? "", Database = options.Database with { Path = database } };
    }

    private static bool IsKnown(string name) =>
        ConfigurationKeys.Find(name) is not null
        || name.EndsWith("_file", StringComparison.Ordinal) && ConfigurationKeys.Find(name[..^"_file".Length]) is { IsSecret: true };

    private void WarnUnknown(string name, string place, string? nearest) =>
        _warnings.Add(new(name, place, "unknown key", nearest is null ? "it has no effect: remove it" : $"did you mean {nearest}?"));

    private string Place(string name) => _values.TryGetValue(name, out ConfigurationValue? value) ? value.Origin.ToString() : "";
}
