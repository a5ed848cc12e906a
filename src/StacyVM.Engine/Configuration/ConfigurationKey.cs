namespace StacyVM.Engine.Configuration;

/// <summary>One key: everything that the loader, <c>config show</c> and the reference page know about it.</summary>
internal abstract class ConfigurationKey(string name, string meaning)
{
    /// <summary>Dotted and lower-case, e.g. <c>server.port</c>.</summary>
    public string Name { get; } = name;

    /// <summary>What it does, with the reason for its default where that is a decision.</summary>
    public string Meaning { get; } = meaning;

    /// <summary>One word: bool, int, duration, …</summary>
    public abstract string Type { get; }

    /// <summary>Completes "it must be …".</summary>
    public abstract string Expectation { get; }

    /// <summary>Never shown, never repeated in a message; can also be given by <see cref="FileKey"/>.</summary>
    public bool IsSecret { get; init; }

    /// <summary>False for keys of features that this version does not have: known, checked, and reported when set.</summary>
    public bool IsUsed { get; init; } = true;

    /// <summary>Overrides the default in the reference where it depends on the machine.</summary>
    public string? DefaultNote { get; init; }

    /// <summary>The variable that sets it.</summary>
    public string Variable => "STACYVM_" + Name.Replace('.', '_').ToUpperInvariant();

    /// <summary>The key that names a file with the secret in it.</summary>
    public string FileKey => Name + "_file";

    /// <summary>Puts a value into the options.</summary>
    /// <returns>Null when the value does not satisfy <see cref="Expectation"/>.</returns>
    public abstract StacyOptions? Apply(StacyOptions options, ConfigurationValue value);

    /// <summary>The value in the options, as the file would have it; secrets only as set or not.</summary>
    public abstract string Show(StacyOptions options);

    /// <summary>The value itself, secrets too: for checks, never to be shown. Empty for a key that is not used.</summary>
    public abstract string Read(StacyOptions options);

    /// <summary>The default as the reference has it.</summary>
    public abstract string Default { get; }
}

/// <summary>A key whose value is used: it lands in a property of the options, which also holds its default.</summary>
internal sealed class ConfigurationKey<T>(
    string name,
    ConfigurationType<T> type,
    Func<StacyOptions, T> read,
    Func<StacyOptions, T, StacyOptions> write,
    string meaning) : ConfigurationKey(name, meaning)
{
    private static readonly StacyOptions Defaults = new() { DataDir = "" };

    public override string Type => type.Name;

    public override string Expectation => type.Expectation;

    public override string Default => DefaultNote ?? type.Format(read(Defaults));

    public override StacyOptions? Apply(StacyOptions options, ConfigurationValue value) =>
        type.Parse(value, out T? parsed) ? write(options, parsed) : null;

    public override string Show(StacyOptions options)
    {
        string text = Read(options);
        return IsSecret && text.Length > 0 ? "(set)" : text;
    }

    public override string Read(StacyOptions options) => type.Format(read(options));
}

/// <summary>A key of a feature that this version does not have.</summary>
internal sealed class UnusedKey<T> : ConfigurationKey
{
    private readonly ConfigurationType<T> _type;

    public UnusedKey(string name, ConfigurationType<T> type, string standard, string meaning) : base(name, meaning)
    {
        _type = type;
        Default = standard;
        IsUsed = false;
    }

    public override string Type => _type.Name;

    public override string Expectation => _type.Expectation;

    public override string Default { get; }

    public override StacyOptions? Apply(StacyOptions options, ConfigurationValue value) => _type.Parse(value, out _) ? options : null;

    public override string Show(StacyOptions options) => "not used by this version";

    public override string Read(StacyOptions options) => "";
}
