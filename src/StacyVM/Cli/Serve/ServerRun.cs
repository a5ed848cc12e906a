using StacyVM.Cli.Serve.Logging;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Server;

namespace StacyVM.Cli.Serve;

/// <summary>One life of a server process.</summary>
internal static partial class ServerRun
{
    /// <summary>How long sandboxes that are being built are waited for at the end.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(8);

    /// <summary>
    /// 1 load the configuration, 2 open the logs, 3 open the engine, 4 check the wished provider, 5 listen, 6 greet, 7 serve until a signal,
    /// 8 stop: first requests, then the engine. Sandboxes live on.
    /// </summary>
    /// <param name="configPath">The file that the user named; null: the usual places.</param>
    /// <param name="flags">Dotted key to text.</param>
    /// <exception cref="StacyVMException">The server cannot start; says what to do.</exception>
    public static async Task<int> RunAsync(string? configPath, IReadOnlyDictionary<string, string> flags)
    {
        // 1.
        EmbeddedAgent.Require();
        ConfigurationSources sources = ConfigurationSources.OfProcess(configPath, flags);
        LoadedConfiguration loaded = ConfigurationLoader.Load(sources);
        StacyOptions options = loaded.Options;

        // 2.
        bool terminal = !Console.IsErrorRedirected;
        bool pretty = options.Logging.Format == "pretty" || (terminal && !loaded.Origins.ContainsKey("logging.format"));
        var level = new LogLevelSwitch(options.Logging.Level);
        using ILoggerFactory loggers = LineLogging.Create(level, pretty);
        ILogger log = loggers.CreateLogger("StacyVM.Serve");
        foreach (ConfigurationFault warning in loaded.Warnings)
            OddSetting(log, warning.ToString());

        // 3.
        await using StacyEngine engine = await StacyEngine.OpenAsync(options, EmbeddedAgent.Open, loggers);

        // 4.
        if (options.Providers.Default is not ("auto" or "") && !engine.Providers.Names.Contains(options.Providers.Default))
        {
            throw new StacyVMException(
                ProblemKind.ProviderNotFound,
                $"\"{options.Providers.Default}\" (providers.default); enabled are {string.Join(", ", engine.Providers.Names)}, or auto for the strongest that works here");
        }

        // 5.
        var editor = new ConfigurationEditor(sources, loaded, new Dictionary<string, Action<StacyOptions>>
        {
            ["logging.level"] = changed => level.Set(changed.Logging.Level),
        });
        await using StacyServer server = await StacyServer.BuildAsync(options, engine, loggers, editor: editor);
        await server.StartAsync();
        Listens(log, string.Join(", ", server.Addresses), options.DataDir);

        // 6.
        if (!Console.IsOutputRedirected)
            _ = Banner.ShowAsync(options, server, engine, server.Stopping);

        // 7.
        await server.WaitForStopAsync();

        // 8.
        using var patience = new CancellationTokenSource(StopPatience);
        await engine.StopAsync(patience.Token);
        Stopped(log);
        return 0;
    }

    [LoggerMessage(EventName = "config.odd", Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void OddSetting(ILogger log, string warning);

    [LoggerMessage(EventName = "server.listening", Level = LogLevel.Information, Message = "listening on {Addresses}, data in {DataDir}")]
    private static partial void Listens(ILogger log, string addresses, string dataDir);

    [LoggerMessage(EventName = "server.stopped", Level = LogLevel.Information, Message = "stopped; sandboxes live on until their time is up")]
    private static partial void Stopped(ILogger log);
}
