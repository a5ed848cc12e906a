namespace StacyVM.Engine.Configuration;

/// <summary>A section of the options as the table of keys sees it: a prefix, and the way into one nested record.</summary>
internal sealed class ConfigurationSection<TSection>(
    string prefix, Func<StacyOptions, TSection> read, Func<StacyOptions, TSection, StacyOptions> write)
{
    public ConfigurationSection<TInner> Section<TInner>(string name, Func<TSection, TInner> inner, Func<TSection, TInner, TSection> with) =>
        new($"{prefix}.{name}", o => inner(read(o)), (o, value) => write(o, with(read(o), value)));

    public ConfigurationKey Key<T>(
        string name, ConfigurationType<T> type, Func<TSection, T> get, Func<TSection, T, TSection> with, string meaning, string? standard = null) =>
        new ConfigurationKey<T>($"{prefix}.{name}", type, o => get(read(o)), (o, value) => write(o, with(read(o), value)), meaning)
        {
            DefaultNote = standard,
        };

    public ConfigurationKey Secret(string name, Func<TSection, string> get, Func<TSection, string, TSection> with, string meaning) =>
        new ConfigurationKey<string>(
            $"{prefix}.{name}", ConfigurationTypes.Text, o => get(read(o)), (o, value) => write(o, with(read(o), value)), meaning)
        {
            IsSecret = true,
        };
}
