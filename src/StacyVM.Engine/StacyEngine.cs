using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Cluster;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Diagnostics;
using StacyVM.Engine.Environments;
using StacyVM.Engine.Events;
using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Bubblewrap;
using StacyVM.Engine.Providers.Custom;
using StacyVM.Engine.Providers.Docker;
using StacyVM.Engine.Providers.Gvisor;
using StacyVM.Engine.Providers.MicroVm;
using StacyVM.Engine.Providers.MicroVm.Qemu;
using StacyVM.Engine.Providers.Mock;
using StacyVM.Engine.Providers.Proot;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Engine.Templates;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine;

/// <summary>Everything of a server that is neither HTTP nor terminal, built in one place.</summary>
internal sealed class StacyEngine : IAsyncDisposable
{
    private static readonly TimeSpan TrimPeriod = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Foundation _foundation;
    private readonly TimeProvider _time;
    private readonly CheckpointReconciler _checkpointReconciler;
    private Task _trimming = Task.CompletedTask;
    private Task _reconciling = Task.CompletedTask;
    private Task _beating = Task.CompletedTask;
    private int _stopped;

    private StacyEngine(
        StacyOptions options, Foundation foundation, IReadOnlyList<ISandboxProvider> providers, ILoggerFactory loggers, TimeProvider time)
    {
        _foundation = foundation;
        _time = time;
        IStore store = foundation.Store;
        Events = new EventBus(time);
        Counters = new OperationCounters();
        Providers = new ProviderRegistry(providers, options.Providers.Default, loggers.CreateLogger<ProviderRegistry>(), time);
        var journal = new OperationJournal(Events, store, Counters, LimitsOf(options), time);
        Quotas = new OwnerQuotas(options.Defaults, store.Quotas, Events, time);
        Templates = new TemplateCatalog(store.Templates, foundation.Secrets, options.Secrets, loggers.CreateLogger<TemplateCatalog>(), time);
        Checkpoints = new CheckpointCatalog(store.Checkpoints, foundation.Secrets, options.Defaults.MaxCheckpoints);
        Admission = new Admission(options.Defaults, Templates, Checkpoints, Quotas, Providers, journal);
        Sandboxes = new SandboxDirectory(options, Admission, Providers, store, journal, loggers);
        CheckpointWork = new CheckpointWork(Checkpoints, Sandboxes, Providers, foundation.Secrets, journal, loggers.CreateLogger<CheckpointWork>());
        Forks = new SandboxForks(CheckpointWork, Checkpoints, Sandboxes, journal);
        _checkpointReconciler = new CheckpointReconciler(Checkpoints, CheckpointWork, Providers, loggers.CreateLogger<CheckpointReconciler>(), time);
        Commands = new CommandRunner(options, Sandboxes, Quotas, journal, LimitsOf(options), foundation.Secrets);
        Files = new SandboxFileAccess(Sandboxes, journal);
        Worker = new LocalWorker(Providers.Names, Limits.Of(options.Defaults), store.Workers, time);
        EnvironmentSpecs = new EnvironmentSpecs(store.Environments, time);
        RegistryConnections = new RegistryConnections(store.RegistryConnections, foundation.Secrets, options.Environments, time);
        var builder = new BuildEngine(() => DockerEndpoint.Resolve(options.Providers.Docker.Socket, Environment.GetEnvironmentVariable).Address);
        EnvironmentBuilds = new EnvironmentBuilds(
            EnvironmentSpecs, store.Environments, spec => new BuildRun(spec, store.Environments, builder, RegistryConnections, time),
            options.Environments.BuildTimeout, loggers.CreateLogger<EnvironmentBuilds>(), time);
        Host = new HostSampler(() => HostReading.Take("/proc", options.DataDir), time);
    }

    public SandboxDirectory Sandboxes { get; }

    public CheckpointCatalog Checkpoints { get; }

    public CheckpointWork CheckpointWork { get; }

    public SandboxForks Forks { get; }

    public OwnerQuotas Quotas { get; }

    public Admission Admission { get; }

    public CommandRunner Commands { get; }

    public SandboxFileAccess Files { get; }

    public TemplateCatalog Templates { get; }

    public EnvironmentSpecs EnvironmentSpecs { get; }

    public EnvironmentBuilds EnvironmentBuilds { get; }

    public RegistryConnections RegistryConnections { get; }

    public EventBus Events { get; }

    public ProviderRegistry Providers { get; }

    public OperationCounters Counters { get; }

    /// <summary>This server as a worker.</summary>
    public LocalWorker Worker { get; }

    /// <summary>The machine.</summary>
    public HostSampler Host { get; }

    public IStore Store => _foundation.Store;

    public ImageStore Images => _foundation.Images;

    /// <summary>
    /// Opens the data directory and takes up what lives in it. Returns as soon as the records are known; sandboxes are recovered and providers
    /// probed in the background.
    /// 1 take the directory, 2 open the store and the key of its secrets, 3 make what providers share, 4 make the providers, 5 compose, 6 read the records, 7 probe.
    /// </summary>
    /// <param name="options">Validated.</param>
    /// <param name="agentProgram">Opens the embedded agent's bytes.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="providers">What makes the providers; null: those of the configuration.</param>
    /// <exception cref="StacyVMException">Unavailable, with the path and what to do, when the data directory or the store cannot be used.</exception>
    public static async Task<StacyEngine> OpenAsync(
        StacyOptions options,
        Func<Stream> agentProgram,
        ILoggerFactory loggers,
        TimeProvider? time = null,
        IEnumerable<Func<AgentHost, ILoggerFactory, ISandboxProvider>>? providers = null)
    {
        time ??= TimeProvider.System;
        // 1.
        DataDirectoryLock directory = DataDirectoryLock.Take(options.DataDir);
        IStore? store = null;
        AgentHost? agents = null;
        ImageStore? images = null;
        try
        {
            // 2.
            store = OpenStore(options, loggers, time);
            SecretBox secrets = SecretBox.Open(Path.Combine(options.DataDir, SecretKeyFile.Name));
            FaultPoints.Hit("start.store_opened");
            // 3.
            agents = await AgentHost.OpenAsync(options.DataDir, agentProgram, loggers);
            images = new ImageStore(options.DataDir, options.Images, loggers.CreateLogger<ImageStore>(), time);
            // 4.
            List<ISandboxProvider> made = [.. (providers ?? Configured(options.Providers, images)).Select(make => make(agents, loggers))];
            // 5.
            var engine = new StacyEngine(options, new Foundation(directory, store, secrets, agents, images), made, loggers, time);
            // 6.
            await engine.Quotas.LoadAsync(CancellationToken.None);
            await engine.Checkpoints.LoadAsync(CancellationToken.None);
            IReadOnlyList<CheckpointRecord> left = engine.Checkpoints.All;
            await engine.Sandboxes.StartAsync(CancellationToken.None);
            await engine.EnvironmentBuilds.StartAsync(engine._stopping.Token);
            // 7.
            engine.Providers.Start(engine._stopping.Token);
            engine._reconciling = Task.Run(() => engine._checkpointReconciler.RunAsync(left, engine._stopping.Token), CancellationToken.None);
            engine._beating = engine.Worker.RunAsync(engine._stopping.Token);
            engine._trimming = engine.TrimAsync();
            return engine;
        }
        catch (Exception e)
        {
            images?.Dispose();
            if (agents is not null)
                await agents.DisposeAsync();
            if (store is not null)
                await store.DisposeAsync();
            directory.Dispose();
            if (e is IOException or UnauthorizedAccessException or InvalidDataException)
                throw new StacyVMException(ProblemKind.Unavailable, $"the data directory {options.DataDir} cannot be used: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Takes no new work, ends creates that are under way, writes what is buffered. Sandboxes live on.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 1)
            return;
        await _stopping.CancelAsync();
        await Sandboxes.StopAsync(cancellation);
        Host.Dispose();
        await Task.WhenAll(_trimming, _beating, _reconciling, EnvironmentBuilds.StopAsync());
        foreach (ISandboxProvider provider in Providers.All)
            await LetGoAsync(provider);
        await _foundation.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _stopping.Dispose();
    }

    private static IStore OpenStore(StacyOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        if (options.Database.Driver != "sqlite")
            throw new StacyVMException(ProblemKind.Unavailable, $"database.driver {options.Database.Driver} is not available in this version: use sqlite");
        string path = options.Database.Path.Length == 0 ? Path.Combine(options.DataDir, "stacyvm.db") : options.Database.Path;
        return SqliteStore.Open(path, LimitsOf(options), loggers.CreateLogger<SqliteStore>(), time);
    }

    private static StoreLimits LimitsOf(StacyOptions options) => new()
    {
        Retention = options.Database.Retention,
        MaxRows = options.Database.MaxRows,
        AdminAuditRetention = options.Auth.AdminAuditRetention,
        Audit = options.Logging.Audit,
        ExecLogs = options.Logging.ExecOutput,
        MaxExecLogBytes = (int)Math.Min(options.Logging.ExecOutputBytes, int.MaxValue),
    };

    /// <summary>What makes the providers of a configuration.</summary>
    internal static IEnumerable<Func<AgentHost, ILoggerFactory, ISandboxProvider>> Configured(ProvidersOptions options, ImageStore images)
    {
        if (options.Docker.Enabled)
            yield return (agents, loggers) => new DockerProvider(agents, options.Docker, loggers.CreateLogger<DockerProvider>());
        if (options.Gvisor.Enabled)
            yield return (agents, loggers) => new GvisorProvider(agents, images, options.Gvisor, loggers);
        if (options.Bubblewrap.Enabled)
            yield return (agents, loggers) => new BubblewrapProvider(agents, images, options.Bubblewrap, loggers);
        if (options.Qemu.Enabled)
            yield return (agents, loggers) => new MicroVmProvider(agents, images, QemuKind.Of(options.Qemu), loggers);
        if (options.Proot.Enabled)
            yield return (agents, _) => new ProotProvider(agents, images, options.Proot);
        if (options.Custom.Enabled)
            yield return (agents, _) => new CustomProvider(agents, options.Custom);
        if (options.Mock.Enabled)
            yield return (agents, _) => new MockProvider(agents);
    }

    /// <summary>Closes what a provider holds open in this process; what it runs lives on.</summary>
    internal static ValueTask LetGoAsync(ISandboxProvider provider)
    {
        switch (provider)
        {
            case IAsyncDisposable asynchronous:
                return asynchronous.DisposeAsync();
            case IDisposable disposable:
                disposable.Dispose();
                break;
        }
        return ValueTask.CompletedTask;
    }

    private async Task TrimAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Store.TrimAsync(_time.GetUtcNow().UtcDateTime);
                await Task.Delay(TrimPeriod, _time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StacyVMException)
            {
                // The writer has told it; a full disk is tried again with the next round.
                await Task.Delay(TrimPeriod, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>What everything else stands on, closed in this order: agents are let go of, the store writes what it still holds, the directory is free.</summary>
    private sealed record Foundation(DataDirectoryLock Directory, IStore Store, SecretBox Secrets, AgentHost Agents, ImageStore Images) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Agents.DisposeAsync();
            Images.Dispose();
            await Store.DisposeAsync();
            Directory.Dispose();
        }
    }
}
