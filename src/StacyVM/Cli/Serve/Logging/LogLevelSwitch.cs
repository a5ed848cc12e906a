using Microsoft.Extensions.Options;

namespace StacyVM.Cli.Serve.Logging;

/// <summary>The least severe level that is written, which may change while the server runs.</summary>
internal sealed class LogLevelSwitch(string level) : IOptionsMonitor<LoggerFilterOptions>
{
    private readonly Lock _lock = new();
    private Action<LoggerFilterOptions, string?>? _changed;

    public LoggerFilterOptions CurrentValue { get; private set; } = FilterOf(level);

    public LoggerFilterOptions Get(string? name) => CurrentValue;

    public IDisposable OnChange(Action<LoggerFilterOptions, string?> listener)
    {
        lock (_lock)
            _changed += listener;
        return new Registration(this, listener);
    }

    /// <param name="level">trace, debug, info, warn, error, fatal or disabled.</param>
    public void Set(string level)
    {
        lock (_lock)
        {
            CurrentValue = FilterOf(level);
            _changed?.Invoke(CurrentValue, null);
        }
    }

    private static LoggerFilterOptions FilterOf(string level)
    {
        var filter = new LoggerFilterOptions { MinLevel = LineLogging.LevelOf(level) };
        // The framework tells each request four times; our own access log once.
        if (filter.MinLevel == LogLevel.Information)
            filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", LogLevel.Warning, null));
        // A start that fails is told once, by whoever catches it, without a stack trace.
        filter.Rules.Add(new LoggerFilterRule(null, "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None, null));
        return filter;
    }

    private sealed class Registration(LogLevelSwitch owner, Action<LoggerFilterOptions, string?> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._lock)
                owner._changed -= listener;
        }
    }
}
