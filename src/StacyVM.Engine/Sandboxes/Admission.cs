using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Templates;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Decides whether a spawn may be made. In this order, for real and on trial: its template, the request itself, its provider, the longest lifetime, all
/// places, the places of its owner. Only a missing place can be waited for.
/// </summary>
internal sealed class Admission
{
    private readonly CancellationTokenSource _closing = new();
    private readonly DefaultsOptions _defaults;
    private readonly TemplateCatalog _templates;
    private readonly OwnerQuotas _quotas;
    private readonly ProviderRegistry _providers;
    private readonly CheckpointCatalog _checkpoints;
    private readonly OperationJournal _journal;
    private readonly SpawnValidation _validation;
    private readonly Capacity _capacity;
    private readonly SpawnQueue _queue;

    public Admission(
        DefaultsOptions defaults, TemplateCatalog templates, CheckpointCatalog checkpoints, OwnerQuotas quotas, ProviderRegistry providers, OperationJournal journal)
    {
        _checkpoints = checkpoints;
        _defaults = defaults;
        _templates = templates;
        _quotas = quotas;
        _providers = providers;
        _journal = journal;
        _validation = new SpawnValidation(defaults, quotas);
        _capacity = new Capacity(defaults.MaxSandboxes, owner => quotas.LimitsOf(owner).MaxSandboxes);
        _queue = new SpawnQueue(_capacity, defaults, journal);
        quotas.Changed += _capacity.LimitsChanged;
    }

    /// <summary>The spawn queue, for diagnostics and metrics.</summary>
    public SpawnQueueNumbers QueueNumbers => _queue.Numbers;

    /// <summary>Lets a spawn in, when it has to wait, in its turn.</summary>
    /// <exception cref="StacyVMException">InvalidInput, NotFound for an unknown template, ProviderNotFound, ProviderUnavailable, ResourceLimit, Unavailable when the server stops.</exception>
    public async Task<AdmittedSpawn> AdmitAsync(SpawnRequest request, SpawnOrigin? origin, Caller caller, CancellationToken cancellation)
    {
        if (_closing.IsCancellationRequested)
            throw Closing();
        long start = _journal.Start();
        (SpawnPlan plan, string? wished) = await PlanAsync(request, origin, caller, cancellation);
        ISandboxProvider provider = await _providers.ResolveAsync(wished, cancellation);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closing.Token);
        try
        {
            if (_quotas.LimitsOf(plan.Owner).Refusal(plan.Ttl) is { } refusal)
                throw refusal;
            return new AdmittedSpawn(plan, provider, await _queue.ReserveAsync(plan, provider.Name, either.Token));
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw Closing();
        }
        catch (StacyVMException e) when (e.Kind == ProblemKind.ResourceLimit)
        {
            _journal.Count("spawn", provider.Name, start, e);
            _journal.Publish("resource.limit", plan, provider.Name, ("error", e.Message));
            throw;
        }
    }

    /// <summary>What a spawn would be answered now. Takes nothing.</summary>
    /// <exception cref="StacyVMException">InvalidInput, NotFound for an unknown template, ProviderNotFound.</exception>
    public async Task<SpawnAdmissionDecision> DecideAsync(SpawnRequest request, Caller caller, CancellationToken cancellation)
    {
        using CheckpointHold? held = Hold(request, caller);
        (SpawnPlan plan, string? wished) = await PlanAsync(request, held?.Origin, caller, cancellation);
        bool placed = await HasPlacementAsync(wished, cancellation);
        OwnerLimits limits = _quotas.LimitsOf(plan.Owner);
        CapacityUse use = _capacity.UseOf(plan.Owner);
        var decision = new SpawnAdmissionDecision
        {
            Allowed = false,
            Queueable = false,
            ActiveSandboxes = 0,
            MaxSandboxes = use.Max,
            MaxOwnerSandboxes = use.MaxOfOwner > 0 ? use.MaxOfOwner : null,
            MaxTtl = limits.MaxTtl > TimeSpan.Zero ? GoDuration.Format(limits.MaxTtl) : null,
        };
        if (limits.Refusal(plan.Ttl) is not null)
            return decision with { Reason = AdmissionReasons.MaxTtl };
        if (!placed)
            return decision with { Reason = AdmissionReasons.WorkerUnavailable, WorkerReason = "no_eligible_worker" };
        return decision with
        {
            Allowed = use.Shortage is null,
            Queueable = use.Shortage is not null && _queue.IsOn,
            Reason = use.Shortage,
            ActiveSandboxes = use.Total,
            ActiveOwnerSandboxes = use.OfOwner > 0 ? use.OfOwner : null,
            SelectedWorkerId = "local",
            EligibleWorkers = 1,
            WorkerReason = "local_fallback",
        };
    }

    /// <summary>The checkpoint that a request names, kept until it is let go of; null when it names none.</summary>
    /// <exception cref="StacyVMException">NotFound, Conflict.</exception>
    public CheckpointHold? Hold(SpawnRequest request, Caller caller) =>
        string.IsNullOrEmpty(request.Checkpoint) ? null : _checkpoints.Hold(request.Checkpoint, caller);

    /// <summary>A new life for a sandbox of an owner.</summary>
    /// <exception cref="StacyVMException">InvalidInput, ResourceLimit when it is longer than the owner may have.</exception>
    public void CheckExtension(string owner, TimeSpan ttl)
    {
        SpawnValidation.CheckTtl(ttl);
        if (_quotas.LimitsOf(owner).Refusal(ttl) is { } refusal)
            throw refusal;
    }

    /// <summary>A place for a sandbox that exists already, whatever the limits say.</summary>
    public CapacityReservation Hold(string owner) => _capacity.Hold(owner);

    /// <summary>Places taken by an owner, beside the limits that hold for it.</summary>
    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public QuotaUsage UsageOf(string owner)
    {
        owner = OwnerName.Required(owner);
        OwnerLimits limits = _quotas.LimitsOf(owner);
        return new QuotaUsage
        {
            OwnerId = owner,
            ActiveSandboxes = _capacity.UseOf(owner).OfOwner,
            MaxSandboxes = limits.MaxSandboxes,
            MaxTtl = GoDuration.Format(limits.MaxTtl),
            MaxExecTimeout = GoDuration.Format(limits.MaxExecTimeout),
            QuotaConfigured = _quotas.Has(owner),
        };
    }

    /// <summary>The server stops: whoever waits is told so at once, and nobody is let in any more.</summary>
    public void Close() => _closing.Cancel();

    private static StacyVMException Closing() => new(ProblemKind.Unavailable, "the server is shutting down");

    /// <summary>The request joined with its template, as a plan; and the provider that is wished.</summary>
    private async Task<(SpawnPlan Plan, string? Provider)> PlanAsync(SpawnRequest request, SpawnOrigin? origin, Caller caller, CancellationToken cancellation)
    {
        if (origin is not null)
            return (_validation.Plan(origin.Join(request), origin.Acting(caller)) with { Origin = origin }, origin.Checkpoint.Provider);
        (SpawnRequest joined, Preparation? preparation) = await _templates.ApplyAsync(request, cancellation);
        SpawnPlan plan = _validation.Plan(joined, caller);
        // A set-up command may take as long as any other of this owner's.
        TimeSpan timeout = ExecValidation.StandardTimeout(_defaults, _quotas.LimitsOf(plan.Owner).MaxExecTimeout);
        return (preparation is null ? plan : plan with { Preparation = preparation with { Timeout = timeout } }, joined.Provider);
    }

    /// <summary>Whether anything can run it now: a provider that was found not to work is none.</summary>
    private async Task<bool> HasPlacementAsync(string? wished, CancellationToken cancellation)
    {
        try
        {
            ISandboxProvider provider = await _providers.ResolveAsync(wished, cancellation);
            return (await _providers.HealthAsync(provider.Name, cancellation)).Healthy;
        }
        catch (StacyVMException e) when (e.Kind == ProblemKind.ProviderUnavailable)
        {
            return false;
        }
    }
}
