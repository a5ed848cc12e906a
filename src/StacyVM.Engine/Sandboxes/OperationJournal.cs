using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Events;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>What happened, told to everyone who keeps account: events, audit rows, counters. Never waits and never fails.</summary>
internal sealed class OperationJournal(EventBus events, IStore store, OperationCounters counters, StoreLimits limits, TimeProvider time)
{
    private const int MaxDetail = 2_048;

    public EventBus Events { get; } = events;

    /// <summary>The clock by which account is kept.</summary>
    public TimeProvider Clock => time;

    public DateTime Now => time.GetUtcNow().UtcDateTime;

    public long Start() => time.GetTimestamp();

    public TimeSpan Since(long start) => time.GetElapsedTime(start);

    /// <summary>An event about a sandbox, for those who may see it.</summary>
    public void Publish(string type, SandboxRecord record, params ReadOnlySpan<(string Name, string Value)> data)
    {
        Dictionary<string, string>? values = null;
        foreach ((string name, string value) in data)
            (values ??= [])[name] = value;
        Events.Publish(type, record.Id, values, record.TenantId.Length == 0 ? null : record.TenantId, record.OwnerId);
    }

    /// <summary>An event about a spawn that has no sandbox yet.</summary>
    public void Publish(string type, SpawnPlan plan, string provider, params ReadOnlySpan<(string Name, string Value)> data)
    {
        var values = new Dictionary<string, string> { ["operation"] = "spawn", ["provider"] = provider };
        foreach ((string name, string value) in data)
            values[name] = value;
        Events.Publish(type, null, values, plan.Tenant.Length == 0 ? null : plan.Tenant, plan.Owner);
    }

    /// <summary>A failure as an event: its type follows from the problem.</summary>
    public void PublishFailure(string operation, SandboxRecord record, Exception error)
    {
        string type = error is StacyVMException problem
            ? problem.Kind switch
            {
                ProblemKind.ExecTimeout => "exec.timeout",
                ProblemKind.ResourceLimit or ProblemKind.StorageFull => "resource.limit",
                ProblemKind.ProviderUnavailable or ProblemKind.Internal => "provider.failed",
                _ => operation.StartsWith("exec", StringComparison.Ordinal) ? "exec.failed" : "operation.failed",
            }
            : operation.StartsWith("exec", StringComparison.Ordinal) ? "exec.failed" : "operation.failed";
        Publish(type, record, ("operation", operation), ("provider", record.Provider), ("error", error.Message));
    }

    /// <summary>Counts an operation.</summary>
    public void Count(string operation, string provider, long start, Exception? error) =>
        counters.Record(operation, provider, Since(start), error?.Message, Now);

    /// <summary>An audit row. Empty tenant and provider are allowed.</summary>
    public void Audit(Caller caller, string action, SandboxRecord record, string resource, Exception? error, string detail)
    {
        if (!limits.Audit)
            return;
        store.Append(new AuditRow(
            caller.Actor, action, record.Id, Cut(resource), record.Provider, error is null ? "success" : "failure",
            Cut(error is null ? detail : detail.Length == 0 ? error.Message : $"{detail} error={error.Message}"), record.TenantId, Now));
    }

    /// <summary>An audit row about what was saved of a sandbox.</summary>
    public void Audit(Caller caller, string action, CheckpointRecord checkpoint, Exception? error)
    {
        if (limits.Audit)
            store.Append(new AuditRow(
                caller.Actor, action, checkpoint.ParentSandbox, checkpoint.Name, checkpoint.Provider, error is null ? "success" : "failure",
                Cut(error is null ? $"id={checkpoint.Id}" : $"id={checkpoint.Id} error={error.Message}"), checkpoint.TenantId, Now));
    }

    /// <summary>An event about it, for those who may see it.</summary>
    public void Publish(string type, CheckpointRecord checkpoint) => Events.Publish(
        type, checkpoint.ParentSandbox, new Dictionary<string, string> { ["checkpoint"] = checkpoint.Name, ["provider"] = checkpoint.Provider },
        checkpoint.TenantId.Length == 0 ? null : checkpoint.TenantId, checkpoint.OwnerId);

    /// <summary>A row of the exec log, where that is on.</summary>
    public void Log(ExecLogRow row) => store.Append(row);

    private static string Cut(string text) => text.Length <= MaxDetail ? text : text[..MaxDetail];
}
