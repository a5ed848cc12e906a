using StacyVM.Protocol.Problems;
using YamlDotNet.Core;

namespace StacyVM.Engine.Configuration;

/// <summary>
/// Changes the configuration file of a running server: all of what is asked for, or nothing. What can take effect at once does.
/// </summary>
/// <param name="sources">What the server was configured from.</param>
/// <param name="loaded">What it found there.</param>
/// <param name="live">Key → what puts its new value into force.</param>
internal sealed class ConfigurationEditor(ConfigurationSources sources, LoadedConfiguration loaded, IReadOnlyDictionary<string, Action<StacyOptions>> live)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _inForce = ChangeableKeys.All.ToDictionary(key => key.Name, key => key.Show(loaded.Options));

    /// <summary>
    /// 1 judge every value, 2 put them into the text of the file, 3 read the outcome as a start of the server would, 4 keep the old file, 5 exchange it,
    /// 6 apply what can be applied.
    /// </summary>
    /// <param name="values">Dotted key → value; null for one of a kind that no key has.</param>
    /// <exception cref="StacyVMException">
    /// <see cref="ProblemKind.InvalidInput"/> naming every fault, <see cref="ProblemKind.Conflict"/> for a file that cannot be edited by a program,
    /// <see cref="ProblemKind.Unavailable"/> when it cannot be written. Nothing has changed then.
    /// </exception>
    public ConfigurationChange Change(IReadOnlyDictionary<string, ConfigurationValue?> values)
    {
        // 1.
        IReadOnlyDictionary<ConfigurationKey, string> wanted = Judge(values);
        lock (_lock)
        {
            string path = Target();
            string candidate = $"{path}.{Environment.ProcessId}.new";
            try
            {
                // 2.
                string? former = File.Exists(path) ? File.ReadAllText(path) : null;
                string text = wanted.Aggregate(former ?? "", (so_far, change) => ConfigurationText.Set(so_far, change.Key.Name, change.Value));
                // 3.
                Write(candidate, text, former is null ? OwnerOnly : File.GetUnixFileMode(path));
                LoadedConfiguration outcome = Verify(path, candidate, wanted);
                // 4.
                string? backup = former is null ? null : Keep(path, former);
                // 5.
                File.Move(candidate, path, overwrite: true);
                // 6.
                return Apply(path, backup, wanted.Keys, outcome);
            }
            catch (YamlException e)
            {
                throw new StacyVMException(ProblemKind.Conflict, $"{path} is not valid YAML (line {e.Start.Line}), so nothing was changed: correct it", e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new StacyVMException(ProblemKind.Unavailable, $"{path} cannot be written ({e.Message.TrimEnd('.')}), so nothing was changed: make it and its directory writable for the server's user", e);
            }
            finally
            {
                Remove(candidate);
            }
        }
    }

    private static IReadOnlyDictionary<ConfigurationKey, string> Judge(IReadOnlyDictionary<string, ConfigurationValue?> values)
    {
        var faults = new List<string>();
        var wanted = new Dictionary<ConfigurationKey, string>();
        var defaults = new StacyOptions { DataDir = "" };
        foreach ((string name, ConfigurationValue? value) in values)
        {
            if (ConfigurationKeys.Find(name.ToLowerInvariant()) is not { } key)
                faults.Add($"there is no key \"{Short(name)}\"{(NearestName.Of(name, ChangeableKeys.All.Select(known => known.Name)) is { } nearest ? $"; {nearest} is near" : "")}");
            else if (!ChangeableKeys.Contains(key))
                faults.Add($"{key.Name} cannot be changed over HTTP: edit the file on the server's machine");
            else if (!key.IsUsed)
                faults.Add($"{key.Name} is not used by this version");
            else if (value is null || key.Apply(defaults, value) is not { } applied)
                faults.Add($"{key.Name} must be {key.Expectation}");
            else if (!wanted.TryAdd(key, key.Show(applied)))
                faults.Add($"{key.Name} is given twice");
        }
        if (values.Count == 0)
            faults.Add("no key is given; send an object of dotted keys, such as {\"logging.level\":\"debug\"}");
        return faults.Count == 0 ? wanted : throw new StacyVMException(ProblemKind.InvalidInput, $"{string.Join("; ", faults)}. Nothing was changed");
    }

    /// <summary>The file that was loaded, or where a start looks for one; behind links, so that they stay links.</summary>
    private string Target()
    {
        string path = loaded.File ?? sources.NewFile();
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            // Not there yet.
            return path;
        }
    }

    /// <summary>A start with the candidate succeeds, finds what is wanted, and everything else as before.</summary>
    private LoadedConfiguration Verify(string path, string candidate, IReadOnlyDictionary<ConfigurationKey, string> wanted)
    {
        LoadedConfiguration outcome;
        try
        {
            outcome = ConfigurationLoader.Load(sources with { ConfigPath = candidate });
        }
        catch (ConfigurationException e)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"{string.Join("; ", e.Faults).Replace(candidate, path, StringComparison.Ordinal)}. Nothing was changed", e);
        }
        List<ConfigurationFault> faults = [];
        IReadOnlyDictionary<string, ConfigurationValue> before = File.Exists(path) ? ConfigurationFile.Read(path, faults) : new Dictionary<string, ConfigurationValue>();
        IReadOnlyDictionary<string, ConfigurationValue> after = ConfigurationFile.Read(candidate, faults);
        Dictionary<string, string> changes = wanted.ToDictionary(change => change.Key.Name, change => change.Value);
        bool asWanted = changes.All(change => after.GetValueOrDefault(change.Key)?.Text == change.Value);
        bool restAsBefore = before.Keys.Union(after.Keys).Where(name => !changes.ContainsKey(name)).All(name => Same(before.GetValueOrDefault(name), after.GetValueOrDefault(name)));
        if (faults.Count > 0 || !asWanted || !restAsBefore)
            throw new StacyVMException(ProblemKind.Conflict, $"the layout of {path} cannot be edited by the server, so nothing was changed: set {string.Join(", ", changes.Keys)} there by hand");
        return outcome;
    }

    private ConfigurationChange Apply(string path, string? backup, IEnumerable<ConfigurationKey> keys, LoadedConfiguration outcome)
    {
        List<string> applied = [], later = [], overridden = [];
        foreach (ConfigurationKey key in keys)
        {
            string value = key.Show(outcome.Options);
            if (outcome.OriginOf(key).Layer > ConfigurationLayer.File)
            {
                overridden.Add(key.Name);
                continue;
            }
            if (live.TryGetValue(key.Name, out Action<StacyOptions>? apply))
            {
                apply(outcome.Options);
                _inForce[key.Name] = value;
            }
            (_inForce[key.Name] == value ? applied : later).Add(key.Name);
        }
        return new ConfigurationChange(path, backup, applied, later, overridden);
    }

    /// <summary>The former content, for its owner alone: a file of the configuration may hold keys.</summary>
    private static string Keep(string path, string former)
    {
        string backup = path + ".bak";
        string draft = $"{backup}.{Environment.ProcessId}.new";
        try
        {
            Write(draft, former, OwnerOnly);
            File.Move(draft, backup, overwrite: true);
            return backup;
        }
        finally
        {
            Remove(draft);
        }
    }

    private static void Write(string path, string text, UnixFileMode mode)
    {
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        using (var writer = new StreamWriter(file, leaveOpen: true))
            writer.Write(text);
        // The file is there with its content, whenever the machine goes down.
        file.Flush(flushToDisk: true);
        File.SetUnixFileMode(file.SafeFileHandle, mode);
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is the one to tell.
        }
    }

    private static bool Same(ConfigurationValue? a, ConfigurationValue? b) =>
        a is not null && b is not null
        && a.Text == b.Text
        && (a.Items ?? []).SequenceEqual(b.Items ?? [])
        && Pairs(a).SequenceEqual(Pairs(b));

    private static IEnumerable<string> Pairs(ConfigurationValue value) => (value.Entries ?? new Dictionary<string, string>()).Select(entry => $"{entry.Key}\0{entry.Value}").Order(StringComparer.Ordinal);

    private static string Short(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "…");
}
