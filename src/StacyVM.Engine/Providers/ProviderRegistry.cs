using Microsoft.Extensions.Logging;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Providers;

/// <summary>
/// The configured providers and what is known of their health. Probes run in the background, at most one a provider every 30 seconds; a
/// reader gets what is known and never waits for a slow level, except for the first answer.
/// </summary>
internal sealed partial class ProviderRegistry
{
    /// <summary>The value of <c>providers.default</c> that picks by probing.</summary>
    public const string Auto = "auto";

    /// <summary>Levels that <see cref="Auto"/> tries, strongest first. proot, which has no wall, comes last and only where an operator has enabled it; mock never.</summary>
    private static readonly string[] ByStrength = ["gvisor", "docker", "qemu", "bubblewrap", "proot"];

    private readonly List<ProviderProbe> _probes;
    private readonly string _configuredDefault;
    private readonly ILogger<ProviderRegistry> _log;
    private readonly TimeProvider _time;
    private readonly ProviderProbe.Finding _unknown;
    private volatile string? _chosen;

    /// <param name="providers">In the order of configuration; names are unique.</param>
    /// <param name="configuredDefault">A name, or <see cref="Auto"/>.</param>
    /// <param name="log">Where choices and faults are told.</param>
    /// <param name="time">The clock.</param>
    public ProviderRegistry(IEnumerable<ISandboxProvider> providers, string configuredDefault, ILogger<ProviderRegistry> log, TimeProvider time)
    {
        _probes = [.. providers.Select(provider => new ProviderProbe(provider, time))];
        _configuredDefault = configuredDefault.Length == 0 ? Auto : configuredDefault;
        _log = log;
        _time = time;
        _unknown = new ProviderProbe.Finding(new ProviderHealth(false, "has not been checked yet"), TimeSpan.Zero, time.GetUtcNow().UtcDateTime, null);
    }

    /// <summary>In the order of configuration.</summary>
    public IReadOnlyList<string> Names => [.. _probes.Select(probe => probe.Provider.Name)];

    /// <summary>Each provider, in the order of configuration.</summary>
    public IEnumerable<ISandboxProvider> All => _probes.Select(probe => probe.Provider);

    /// <summary>Probes everything in parallel and in the background, logs what it finds, and keeps what is known fresh until cancelled.</summary>
    public void Start(CancellationToken stopping) => _ = StartAsync(stopping);

    /// <summary>Names of the levels that <see cref="Auto"/> tries, strongest first.</summary>
    /// <param name="dockerRuntime">Containers are as strong as what runs them.</param>
    public static IEnumerable<string> AutoOrder(string? dockerRuntime) =>
        dockerRuntime is "runsc" or "kata-runtime" ? ["docker", .. ByStrength.Where(name => name != "docker")] : ByStrength;

    /// <summary>Whether <see cref="Auto"/> takes a level of which this is known.</summary>
    public static bool IsForAuto(ProviderHealth health) => health is { Healthy: true, Automatic: true };

    /// <summary>Every provider's health as known now. Asks no level anything: one that has not been probed yet is not healthy.</summary>
    public IReadOnlyList<ProviderInfo> Known()
    {
        string? standard = _configuredDefault != Auto
            ? _configuredDefault
            : Order().FirstOrDefault(name => _probes.Exists(probe => probe.Provider.Name == name && probe.Last is { } last && IsForAuto(last.Health)));
        return [.. _probes.Select(probe => (probe.Last ?? _unknown).ToInfo(probe.Provider, probe.Provider.Name == standard))];
    }

    /// <summary>Null when none of that name is configured.</summary>
    public ISandboxProvider? Find(string name) => _probes.Find(probe => probe.Provider.Name == name)?.Provider;

    /// <summary>The provider of a name, or the default one for null and empty.</summary>
    /// <exception cref="StacyVMException">
    /// <see cref="ProblemKind.ProviderNotFound"/>, naming those that exist; <see cref="ProblemKind.ProviderUnavailable"/> when <see cref="Auto"/> finds none that works.
    /// </exception>
    public async Task<ISandboxProvider> ResolveAsync(string? name, CancellationToken cancellation)
    {
        string wished = string.IsNullOrWhiteSpace(name) ? _configuredDefault : name.Trim();
        if (wished != Auto)
            return Probe(wished).Provider;
        return (await ChooseAsync(cancellation))?.Provider ?? throw new StacyVMException(
            ProblemKind.ProviderUnavailable,
            $"no isolation level works on this machine. {Faults()} Set providers.default to use one of {string.Join(", ", Names)} by name");
    }

    /// <summary>Every provider's health as known now; waits only for those never probed.</summary>
    public async Task<IReadOnlyList<ProviderInfo>> HealthAsync(CancellationToken cancellation)
    {
        await Task.WhenAll(_probes.Select(probe => probe.KnownAsync())).WaitAsync(cancellation);
        string? chosen = await DefaultNameAsync(cancellation);
        return [.. _probes.Select(probe => probe.Last!.ToInfo(probe.Provider, probe.Provider.Name == chosen))];
    }

    /// <summary>One provider's health as known now.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderNotFound"/>, naming those that exist.</exception>
    public async Task<ProviderInfo> HealthAsync(string name, CancellationToken cancellation)
    {
        ProviderProbe probe = Probe(name);
        ProviderProbe.Finding finding = await probe.KnownAsync().WaitAsync(cancellation);
        return finding.ToInfo(probe.Provider, name == await DefaultNameAsync(cancellation));
    }

    /// <summary>Probes now, for <c>POST /providers/test</c>.</summary>
    public async Task<ProviderInfo> ProbeAsync(string name, CancellationToken cancellation)
    {
        ProviderProbe probe = Probe(name);
        ProviderProbe.Finding finding = await probe.ProbeAsync().WaitAsync(cancellation);
        return finding.ToInfo(probe.Provider, name == await DefaultNameAsync(cancellation));
    }

    /// <summary>The provider's public settings and health; <see cref="ProviderDetail.SandboxCount"/> is the caller's to know.</summary>
    public async Task<ProviderDetail> DetailAsync(string name, int sandboxCount, CancellationToken cancellation)
    {
        ProviderInfo health = await HealthAsync(name, cancellation);
        return new ProviderDetail
        {
            Name = name,
            Healthy = health.Healthy,
            Default = health.Default,
            SandboxCount = sandboxCount,
            Health = health,
            Config = Probe(name).Provider.PublicSettings,
        };
    }

    /// <summary>A provider failed in use: its health is asked again, whatever its age.</summary>
    public void Doubt(string name) => _ = _probes.Find(probe => probe.Provider.Name == name)?.ProbeAsync();

    private ProviderProbe Probe(string name) => _probes.Find(probe => probe.Provider.Name == name) ?? throw new StacyVMException(
        ProblemKind.ProviderNotFound,
        _probes.Count == 0
            ? $"\"{name}\"; no provider is enabled: enable one under providers in the configuration"
            : $"\"{name}\"; the configured ones are {string.Join(", ", Names)}");

    private async Task<string?> DefaultNameAsync(CancellationToken cancellation) =>
        _configuredDefault != Auto ? _configuredDefault : (await ChooseAsync(cancellation))?.Provider.Name;

    /// <summary>The first of the order that works. It waits for a probe only where there has been none, and only as far as it must.</summary>
    private async Task<ProviderProbe?> ChooseAsync(CancellationToken cancellation)
    {
        foreach (string name in Order())
        {
            if (_probes.Find(probe => probe.Provider.Name == name) is not { } probe
                || !IsForAuto((await probe.KnownAsync().WaitAsync(cancellation)).Health))
                continue;
            if (_chosen != name)
            {
                _chosen = name;
                Chose(_log, name);
            }
            return probe;
        }
        _chosen = null;
        return null;
    }

    private async Task StartAsync(CancellationToken stopping)
    {
        foreach (Task<ProviderProbe.Finding> probe in (List<Task<ProviderProbe.Finding>>)[.. _probes.Select(probe => probe.ProbeAsync())])
            await probe;
        foreach (ProviderProbe probe in _probes)
        {
            if (probe.Last is { Health.Healthy: false } finding)
                Unhealthy(_log, probe.Provider.Name, finding.Health.Error ?? "no reason given");
        }
        if (_configuredDefault == Auto && await ChooseAsync(CancellationToken.None) is null)
            NothingWorks(_log, Faults());
        else if (_configuredDefault != Auto && Find(_configuredDefault) is null)
            DefaultMissing(_log, _configuredDefault, string.Join(", ", Names));
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(ProviderProbe.Freshness, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (ProviderProbe probe in _probes.Where(_ => !stopping.IsCancellationRequested))
                await probe.KnownAsync();
        }
    }

    private IEnumerable<string> Order() => AutoOrder(Find("docker")?.PublicSettings.GetValueOrDefault("runtime"));

    private string Faults() => string.Concat(_probes
        .Where(probe => probe.Last is { } last && !IsForAuto(last.Health))
        .Select(probe => $"{probe.Provider.Name}: {(probe.Last!.Health.Error ?? (probe.Last.Health.Healthy ? "works, and is taken only by name" : "no reason given")).TrimEnd('.')}. "))
        .TrimEnd();

    [LoggerMessage(Level = LogLevel.Information, EventName = "provider.chosen", Message = "{Provider} is the strongest isolation level that works here and is used by default")]
    private static partial void Chose(ILogger log, string provider);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "provider.unhealthy", Message = "provider {Provider} does not work: {Error}")]
    private static partial void Unhealthy(ILogger log, string provider, string error);

    [LoggerMessage(Level = LogLevel.Error, EventName = "provider.none_works", Message = "no isolation level works on this machine, so nothing can be spawned. {Faults}")]
    private static partial void NothingWorks(ILogger log, string faults);

    [LoggerMessage(Level = LogLevel.Error, EventName = "provider.default_missing", Message = "providers.default is {Provider}, which is not enabled; the configured ones are {Names}")]
    private static partial void DefaultMissing(ILogger log, string provider, string names);
}
