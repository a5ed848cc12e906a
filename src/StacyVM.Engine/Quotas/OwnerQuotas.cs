using System.Collections.Concurrent;
using System.Globalization;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Events;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Quotas;

/// <summary>The quotas of all owners, held in memory and written through: spawns and commands read them without asking the store.</summary>
internal sealed class OwnerQuotas(DefaultsOptions defaults, IOwnerQuotaStore store, EventBus events, TimeProvider time)
{
    private readonly OwnerLimits _standard = OwnerLimits.Of(defaults);
    private readonly ConcurrentDictionary<string, OwnerQuota> _quotas = new(StringComparer.Ordinal);
    // Store and memory change in the same order.
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Called after a change, when the new limits hold.</summary>
    public event Action? Changed;

    /// <summary>By owner.</summary>
    public IReadOnlyList<OwnerQuota> All => [.. _quotas.Select(pair => pair.Value).OrderBy(quota => quota.OwnerId, StringComparer.Ordinal)];

    public QuotaSummary Summary
    {
        get
        {
            IReadOnlyList<OwnerQuota> all = All;
            return new QuotaSummary
            {
                Total = all.Count,
                WithMaxSandboxes = all.Count(quota => quota.MaxSandboxes > 0),
                WithMaxTtl = all.Count(quota => quota.MaxTtl > TimeSpan.Zero),
                WithMaxExecTimeout = all.Count(quota => quota.MaxExecTimeout > TimeSpan.Zero),
            };
        }
    }

    /// <summary>Reads them, before the first spawn.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        foreach (OwnerQuota quota in await store.LoadAsync(cancellation))
            _quotas[quota.OwnerId] = quota;
    }

    /// <param name="owner">Empty for none.</param>
    public OwnerLimits LimitsOf(string owner) =>
        owner.Length > 0 && _quotas.TryGetValue(owner, out OwnerQuota? quota) ? _standard.With(quota) : _standard;

    public bool Has(string owner) => _quotas.ContainsKey(owner);

    /// <exception cref="StacyVMException">InvalidInput for a name that is none, NotFound.</exception>
    public OwnerQuota Get(string owner) => _quotas.TryGetValue(OwnerName.Required(owner), out OwnerQuota? quota) ? quota : throw NotFound(owner);

    /// <summary>Makes or replaces a quota. It holds for spawns that wait, too.</summary>
    /// <exception cref="StacyVMException">InvalidInput, StorageFull, Unavailable.</exception>
    public async Task<OwnerQuota> SaveAsync(string owner, QuotaRequest request)
    {
        OwnerQuota quota = OwnerQuota.Of(owner, request, time.GetUtcNow().UtcDateTime);
        await _writing.WaitAsync();
        try
        {
            if (_quotas.TryGetValue(quota.OwnerId, out OwnerQuota? before))
                quota = quota with { CreatedAt = before.CreatedAt };
            await store.SaveAsync(quota);
            _quotas[quota.OwnerId] = quota;
        }
        finally
        {
            _writing.Release();
        }
        Changed?.Invoke();
        QuotaInfo info = quota.ToInfo();
        events.Publish("quota.saved", data: new Dictionary<string, string>
        {
            ["owner_id"] = info.OwnerId,
            ["max_sandboxes"] = info.MaxSandboxes.ToString(CultureInfo.InvariantCulture),
            ["max_ttl"] = info.MaxTtl,
            ["max_exec_timeout"] = info.MaxExecTimeout,
        }, owner: info.OwnerId);
        return quota;
    }

    /// <summary>The owner is back at the defaults.</summary>
    /// <exception cref="StacyVMException">InvalidInput, NotFound, StorageFull, Unavailable.</exception>
    public async Task DeleteAsync(string owner)
    {
        owner = OwnerName.Required(owner);
        await _writing.WaitAsync();
        try
        {
            if (!_quotas.ContainsKey(owner))
                throw NotFound(owner);
            await store.DeleteAsync(owner);
            _quotas.TryRemove(owner, out _);
        }
        finally
        {
            _writing.Release();
        }
        Changed?.Invoke();
        events.Publish("quota.deleted", data: new Dictionary<string, string> { ["owner_id"] = owner }, owner: owner);
    }

    private static StacyVMException NotFound(string owner) => new(ProblemKind.NotFound, $"owner {owner} has no quota: the defaults hold");
}
