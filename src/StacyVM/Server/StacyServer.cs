using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Audit;
using StacyVM.Server.Endpoints;
using StacyVM.Server.Observability;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Previews;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;
using Yarp.ReverseProxy.Forwarder;

namespace StacyVM.Server;

/// <summary>The HTTP server around an engine, as an object: <c>stacyvm serve</c> and the tests build it alike. It owns neither engine nor loggers.</summary>
internal sealed class StacyServer : IAsyncDisposable
{
    /// <summary>Streams end at once when the server stops; other requests get this long.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(4);

    private readonly WebApplication _app;
    private readonly StacyOptions _options;
    private readonly PreviewConnections _connections;
    private Task _following = Task.CompletedTask;

    private StacyServer(WebApplication app, StacyOptions options, PreviewConnections connections, bool needsKey, string? keyFile)
    {
        (_app, _options, _connections, NeedsKey, KeyFile) = (app, options, connections, needsKey, keyFile);
    }

    /// <summary>Base addresses with the real port, once started.</summary>
    public IReadOnlyCollection<string> Addresses => [.. _app.Urls];

    /// <summary>False when everyone is let in.</summary>
    public bool NeedsKey { get; }

    /// <summary>The file of the generated key, when that is the one in force.</summary>
    public string? KeyFile { get; }

    /// <summary>Cancelled when the process is told to stop (SIGTERM, SIGINT) or <see cref="StopAsync"/> is called.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>All routes, for the test that walks over their access rules.</summary>
    internal IEnumerable<Endpoint> Endpoints => EndpointsOf(_app);

    /// <summary>Builds it: 1 host, 2 keys and limits, 3 what a request passes, from the outside in, 4 routes. Does not listen yet.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for a listen address that is none, <see cref="ProblemKind.Unavailable"/> when the key file cannot be written.</exception>
    public static Task<StacyServer> BuildAsync(StacyOptions options, StacyEngine engine, ILoggerFactory loggers, TimeProvider? time = null, ConfigurationEditor? editor = null)
    {
        time ??= TimeProvider.System;

        // 1 host
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(new FrameworkLogs(loggers)));
        builder.Services.Configure<SocketTransportOptions>(Listening.Configure);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopPatience);
        builder.Services.AddHttpForwarder();
        builder.WebHost.ConfigureKestrel(kestrel => Listening.Configure(kestrel, options.Server));
        WebApplication app = builder.Build();

        // 2 keys and limits
        (KeyRing keys, string? keyFile) = KeySource.Load(options, loggers);
        var tickets = new Tickets(time);

        // Whoever waits for a place is told at once, so that the stop does not wait for them.
        app.Lifetime.ApplicationStopping.Register(engine.Admission.Close);
        var proxies = new TrustedProxies(options.Server);
        var limiter = new RateLimiter(options.RateLimit, time);
        var limits = new RateLimits(new FailedLogins(options.Auth.MaxFailedLoginsPerMinute, time), limiter);
        var refused = new RefusedCalls(engine.Store, time);
        app.Lifetime.ApplicationStopped.Register(refused.Dispose);

        // 3 what a request passes
        var lifetime = new ServerLifetime(app.Lifetime);
        var connections = new PreviewConnections(engine.Events);
        var previewHost = new PreviewHost(options.Server.PreviewDomain);
        var previews = new Previews.Previews(
            previewHost, engine.Sandboxes, connections, app.Services.GetRequiredService<IHttpForwarder>(),
            new PreviewTransformer(keys, tickets), lifetime);
        app.Use(new AccessLog(loggers.CreateLogger<AccessLog>()).ApplyAsync);
        app.Use(proxies.ApplyAsync);
        app.Use(new AuditTrail(engine.Store, refused, previewHost, time).ApplyAsync);
        app.Use(new FailureBoundary(loggers.CreateLogger<FailureBoundary>()).ApplyAsync);
        app.Use(previews.ApplyAsync);
        app.Use(RequestIds.ApplyAsync);
        app.Use(BareStatus.ApplyAsync);
        app.Use(new HostGuard(options.Server).ApplyAsync);
        app.Use(new OriginGuard(options.Server).ApplyAsync);
        app.UseRouting();
        app.Use(new Gate(keys, tickets, limits, new CallerRules(options.Auth, proxies)).ApplyAsync);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Silence.Longest });

        // 4 routes
        RouteGroupBuilder api = app.MapGroup("/api/v1");
        RouteGroupBuilder admin = api.MapAdminArea();
        var lines = new NdjsonOutput(lifetime, time);
        new HealthEndpoints(engine.Providers, lifetime, time).Map(api);
        new SandboxEndpoints(engine.Sandboxes, engine.Admission).Map(api);
        new CheckpointEndpoints(engine.Checkpoints, engine.CheckpointWork, engine.Forks, engine.Sandboxes).Map(api);
        new TemplateEndpoints(engine.Templates, engine.Sandboxes).Map(api);
        new EnvironmentEndpoints(engine.EnvironmentSpecs, engine.EnvironmentBuilds).Map(api);
        new RegistryConnectionEndpoints(engine.RegistryConnections).Map(api);
        new ExecEndpoints(engine.Commands, lines, new ExecSocket(engine.Commands, lifetime), engine.Sandboxes).Map(api);
        new ProcessEndpoints(engine.Sandboxes, engine.Commands, lines).Map(api);
        new FileEndpoints(engine.Files).Map(api);
        var providers = new ProviderEndpoints(engine.Providers, engine.Sandboxes);
        providers.Map(api);
        providers.Map(admin);
        new ImageEndpoints(engine.Images, engine.Providers).Map(api);
        var quotas = new QuotaEndpoints(engine.Quotas, engine.Admission);
        quotas.Map(api);
        quotas.Map(admin);
        new AdminAuditEndpoints(engine.Store.AdminAudit).Map(admin);
        new EventEndpoints(new EventStream(engine.Events, lifetime, time)).Map(api);
        new TicketEndpoints(tickets).Map(api);
        new SystemEndpoints(engine.Host).Map(api);
        new ConfigEndpoints(editor, engine.Store, loggers.CreateLogger<ConfigEndpoints>(), time).Map(api);
        var workers = new WorkerEndpoints(engine.Worker);
        workers.Map(api);
        workers.Map(admin);
        var observability = new ObservabilityEndpoints(new SystemReport(engine, options, limiter, time));
        observability.Map(api);
        observability.Map(admin);
        new SwaggerEndpoints(() => EndpointsOf(app)).Map(app);

        return Task.FromResult(new StacyServer(app, options, connections, keys.NeedsKey, keyFile));
    }

    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/>, saying what to do, when the address cannot be had.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        try
        {
            await _app.StartAsync(cancellation);
        }
        catch (Exception e) when (Listening.Explain(e, _options.Server) is { } problem)
        {
            throw problem;
        }
        _following = _connections.FollowAsync(Stopping);
    }

    /// <summary>Returns when the server has stopped, by signal or by <see cref="StopAsync"/>.</summary>
    public Task WaitForStopAsync() => _app.WaitForShutdownAsync();

    /// <summary>Takes no new requests, ends streams at once, gives other requests a few seconds.</summary>
    public Task StopAsync(CancellationToken cancellation = default) => _app.StopAsync(cancellation);

    private static IEnumerable<Endpoint> EndpointsOf(IEndpointRouteBuilder app) => app.DataSources.SelectMany(source => source.Endpoints);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _following.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _connections.Dispose();
    }
}
