namespace StacyVM.Cli.Serve.Logging;

/// <summary>One entry, before it is a line.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Level">How grave.</param>
/// <param name="Event">Such as <c>sandbox.created</c>; empty when the entry has no name.</param>
/// <param name="Category">Who says it.</param>
/// <param name="Message">The sentence.</param>
/// <param name="Fields">Its values by name.</param>
/// <param name="Fault">What was thrown.</param>
internal readonly record struct LogEntry(
    DateTime Time, LogLevel Level, string Event, string Category, string Message, IReadOnlyList<KeyValuePair<string, object?>> Fields, Exception? Fault)
{
    public string LevelName => Level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
