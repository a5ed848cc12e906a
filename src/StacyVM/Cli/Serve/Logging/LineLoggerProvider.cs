namespace StacyVM.Cli.Serve.Logging;

internal sealed class LineLoggerProvider(LineOutput output, LineFormat format) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new LineLogger(categoryName, output, format);

    public void Dispose() => output.Dispose();

    private sealed class LineLogger(string category, LineOutput output, LineFormat format) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            IReadOnlyList<KeyValuePair<string, object?>> fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            output.Write(new LogEntry(DateTime.UtcNow, logLevel, eventId.Name ?? "", category, formatter(state, exception), fields, exception), format);
        }
    }
}
