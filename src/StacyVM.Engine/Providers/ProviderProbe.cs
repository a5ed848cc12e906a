using System.Diagnostics;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Providers;

/// <summary>What is known of one provider's health, and the probe that finds it out. At most one probe runs at a time.</summary>
internal sealed class ProviderProbe(ISandboxProvider provider, TimeProvider time)
{
    /// <summary>An answer younger than this is not asked for again.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(30);

    /// <summary>A level that takes longer than this to answer does not work.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private Task<Finding>? _running;
    private volatile Finding? _last;

    public ISandboxProvider Provider { get; } = provider;

    /// <summary>The last finding; null before the first.</summary>
    public Finding? Last => _last;

    /// <summary>The last finding, or the first one when there is none yet; an old one is renewed in the background.</summary>
    public Task<Finding> KnownAsync()
    {
        Finding? last = _last;
        if (last is null)
            return ProbeAsync();
        if (time.GetUtcNow().UtcDateTime - last.At >= Freshness)
            _ = ProbeAsync();
        return Task.FromResult(last);
    }

    /// <summary>Probes now, or joins the probe that runs.</summary>
    public Task<Finding> ProbeAsync()
    {
        lock (_lock)
        {
            if (_running is null or { IsCompleted: true })
                _running = Task.Run(RunAsync);
            return _running;
        }
    }

    private async Task<Finding> RunAsync()
    {
        using var patience = new CancellationTokenSource(Patience, time);
        long start = time.GetTimestamp();
        ProviderHealth health;
        int? runtimes = null;
        try
        {
            health = await Provider.ProbeAsync(patience.Token).WaitAsync(patience.Token);
            if (health.Healthy)
                runtimes = (await Provider.ListAsync(patience.Token).WaitAsync(patience.Token)).Count;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            health = new ProviderHealth(false, $"{Provider.Name} did not answer within {Patience.TotalSeconds:0} seconds");
        }
        catch (Exception e)
        {
            Debug.Assert(e is StacyVMException, "a probe reports and does not throw");
            health = new ProviderHealth(false, e.Message);
        }
        var finding = new Finding(health, time.GetElapsedTime(start), time.GetUtcNow().UtcDateTime, runtimes);
        _last = finding;
        return finding;
    }

    /// <param name="Health">What the probe said.</param>
    /// <param name="Latency">How long it took.</param>
    /// <param name="At">When it ended, UTC.</param>
    /// <param name="Runtimes">How many runtimes the level lists as ours; null when it did not say.</param>
    internal sealed record Finding(ProviderHealth Health, TimeSpan Latency, DateTime At, int? Runtimes)
    {
        public ProviderInfo ToInfo(ISandboxProvider provider, bool isDefault) => new()
        {
            Name = provider.Name,
            Healthy = Health.Healthy,
            Default = isDefault,
            LatencyMs = (long)Latency.TotalMilliseconds,
            LastChecked = new DateTime(At.Ticks - At.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc),
            Error = Health.Healthy ? null : Health.Error,
            Capabilities = CapabilitiesOf(provider),
            RuntimeCount = Runtimes,
            Enforced = Health.Enforced,
            Images = Health.Images,
        };

        // The provider contract gives every level these; then its optional powers, and what kind of level it is.
        private static List<string> CapabilitiesOf(ISandboxProvider provider) =>
        [
            "spawn", "exec", "exec_stream", "files", "console", "health", "runtime_inventory",
            .. provider is ICheckpoints ? ["checkpoints"] : Array.Empty<string>(),
            .. provider is IPauses ? ["pause"] : Array.Empty<string>(),
            .. provider.Traits,
        ];
    }
}
