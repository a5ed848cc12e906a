namespace StacyVM.Cli.Serve.Logging;

/// <summary>Logs of the server on stderr, one line an entry: JSON for machines, words for people.</summary>
internal static class LineLogging
{
    /// <param name="level">trace, debug, info, warn, error, fatal or disabled.</param>
    /// <param name="pretty">For people.</param>
    public static ILoggerFactory Create(string level, bool pretty)
    {
        var output = new LineOutput(Console.OpenStandardError());
        var provider = new LineLoggerProvider(output, pretty ? PrettyLine.Write : JsonLine.Write);
        var filter = new LoggerFilterOptions { MinLevel = LevelOf(level) };
        // The framework tells each request four times; our own access log once.
        if (filter.MinLevel == LogLevel.Information)
            filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", LogLevel.Warning, null));
        // A start that fails is told once, by whoever catches it, without a stack trace.
        filter.Rules.Add(new LoggerFilterRule(null, "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None, null));
        return new LoggerFactory([provider], filter);
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
