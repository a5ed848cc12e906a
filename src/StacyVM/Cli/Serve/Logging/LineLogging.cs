namespace StacyVM.Cli.Serve.Logging;

/// <summary>Logs of the server on stderr, one line an entry: JSON for machines, words for people.</summary>
internal static class LineLogging
{
    /// <param name="level">What is written; it may change.</param>
    /// <param name="pretty">For people.</param>
    public static ILoggerFactory Create(LogLevelSwitch level, bool pretty)
    {
        var output = new LineOutput(Console.OpenStandardError());
        var provider = new LineLoggerProvider(output, pretty ? PrettyLine.Write : JsonLine.Write);
        return new LoggerFactory([provider], level);
    }

    internal static LogLevel LevelOf(string name) => name switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "fatal" => LogLevel.Critical,
        "disabled" => LogLevel.None,
        _ => LogLevel.Information,
    };
}
