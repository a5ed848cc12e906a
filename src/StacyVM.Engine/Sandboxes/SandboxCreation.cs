using Microsoft.Extensions.Logging;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Store;
using StacyVM.Engine.Templates;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>The making of a sandbox, from a valid plan and a reserved place to a running record, or to nothing at all.</summary>
internal sealed partial class SandboxCreation(
    SandboxRegister register, Teardown teardown, IStore store, OperationJournal journal, ILogger<SandboxCreation> log, TimeProvider time)
{
    /// <summary>
    /// 1 write <c>creating</c>, 2 build, 3 prepare it as its template says, 4 write <c>running</c>, 5 arm expiry, 6 tell. Whatever goes wrong, what has been done is undone before this
    /// throws; where the provider cannot undo it now, the record stays <c>destroying</c> until it can.
    /// </summary>
    public async Task<SandboxInfo> CreateAsync(SpawnPlan plan, ISandboxProvider provider, CapacityReservation place, Caller caller, CancellationToken cancellation)
    {
        long start = journal.Start();
        SandboxEntry entry = register.Add(FirstRecord(plan, provider), place);
        FaultPoints.Hit("create.reserved");
        using CancellationTokenRegistration leaving = cancellation.UnsafeRegister(static state => ((SandboxEntry)state!).Abandon(), entry);
        try
        {
            await BuildAsync(entry, plan, provider);
            // The client may have left between the last check and now: it will never learn the id.
            cancellation.ThrowIfCancellationRequested();
        }
        catch (Exception e)
        {
            entry.Settle();
            Exception problem = Explain(e, entry, cancellation);
            // What a command printed is for the caller's eyes alone.
            Exception told = (problem as SetupFailure)?.Discreet ?? problem;
            journal.Count("spawn", provider.Name, start, told);
            journal.Audit(caller, "sandbox.spawn", entry.Record, plan.Spec.Image, told, "");
            journal.PublishFailure("spawn", entry.Record, told);
            CreateFailed(log, problem is StacyVMException { Kind: ProblemKind.Internal } ? e : null, entry.Id, provider.Name, told.Message);
            await teardown.EndInBackgroundAsync(entry, $"could not be created: {told.Message}");
            if (ReferenceEquals(problem, e))
                throw;
            throw problem;
        }
        FaultPoints.Hit("create.announced");
        journal.Count("spawn", provider.Name, start, null);
        journal.Audit(caller, "sandbox.spawn", entry.Record, plan.Spec.Image, null, "state=running");
        Created(log, entry.Id, provider.Name, entry.Record.Image, journal.Since(start).TotalMilliseconds);
        return entry.Info;
    }

    /// <summary>Gives a sandbox its timer.</summary>
    public void ArmExpiry(SandboxEntry entry)
    {
        entry.Expiry = new ExpiryTimer(time, () => _ = ExpireAsync(entry));
        entry.Expiry.Arm(entry.Record.ExpiresAt);
    }

    private async Task BuildAsync(SandboxEntry entry, SpawnPlan plan, ISandboxProvider provider)
    {
        // 1.
        await store.SaveAsync(entry.Record);
        FaultPoints.Hit("create.record_written");
        // 2.
        entry.Abandoned.ThrowIfCancellationRequested();
        var progress = new SpawnProgress(message => Progress(entry, message));
        ISandbox sandbox = plan.Origin is { } origin
            ? await origin.Level(provider).RestoreAsync(entry.Id, origin.Checkpoint.Id, plan.Spec, progress, entry.Abandoned)
            : await provider.CreateAsync(entry.Id, plan.Spec, progress, entry.Abandoned);
        entry.Attach(sandbox);
        FaultPoints.Hit("create.built");
        // 3.
        if (plan.Preparation is { } preparation)
            await preparation.RunAsync(sandbox, progress, entry.Abandoned);
        FaultPoints.Hit("create.prepared");
        // 4. Its life is counted from now, and not from before an image was pulled.
        await register.PromiseAsync(
            entry,
            record =>
            {
                entry.Abandoned.ThrowIfCancellationRequested();
                return record with
                {
                    State = SandboxStates.Running,
                    Image = sandbox.Image,
                    Handle = sandbox.Handle,
                    ExpiresAt = journal.Now + plan.Ttl,
                };
            },
            () => Begin(entry));
        entry.Settle();
    }

    /// <summary>Still under the gate, so that no destroy is told before the create.</summary>
    private void Begin(SandboxEntry entry)
    {
        FaultPoints.Hit("create.running_written");
        // 5.
        ArmExpiry(entry);
        // 6.
        entry.Announced = true;
        journal.Publish("sandbox.created", entry.Record);
        journal.Publish("sandbox.running", entry.Record);
    }

    private SandboxRecord FirstRecord(SpawnPlan plan, ISandboxProvider provider)
    {
        DateTime now = journal.Now;
        string id = SandboxId.New();
        return new SandboxRecord
        {
            Id = id,
            State = SandboxStates.Creating,
            Provider = provider.Name,
            Image = plan.Spec.Image,
            MemoryMb = plan.Spec.MemoryMb,
            Vcpus = plan.Spec.Vcpus,
            DiskMb = plan.Spec.DiskMb,
            Metadata = plan.Spec.Metadata,
            OwnerId = plan.Owner,
            TenantId = plan.Tenant,
            Environment = plan.Preparation?.SealEnvironment(id) ?? plan.Origin?.SealEnvironment(id),
            ParentSandbox = plan.Origin?.Checkpoint.ParentSandbox ?? "",
            ParentCheckpoint = plan.Origin?.Checkpoint.Name ?? "",
            CreatedAt = now,
            ExpiresAt = now + plan.Ttl,
            UpdatedAt = now,
        };
    }

    private static Exception Explain(Exception error, SandboxEntry entry, CancellationToken client) => error switch
    {
        _ when client.IsCancellationRequested => error is OperationCanceledException ? error : new OperationCanceledException("the client went away", error, client),
        StacyVMException when !entry.Abandoned.IsCancellationRequested => error,
        _ when entry.Abandoned.IsCancellationRequested => new StacyVMException(ProblemKind.Conflict, $"{entry.Id} was destroyed while it was being created", error),
        _ => new StacyVMException(ProblemKind.Internal, $"{entry.Id} could not be created; the log has the cause", error),
    };

    private async Task ExpireAsync(SandboxEntry entry)
    {
        try
        {
            await teardown.ExpireAsync(entry, Caller.System);
        }
        catch (StacyVMException)
        {
            // Told by the attempt itself, which is repeated.
        }
        catch (Exception e)
        {
            ExpiryFailed(log, e, entry.Id);
        }
    }

    private void Progress(SandboxEntry entry, string message)
    {
        Progressing(log, entry.Id, message);
        journal.Publish("spawn.progress", entry.Record, ("operation", "spawn"), ("provider", entry.Record.Provider), ("message", message));
    }

    /// <summary>Calls at once, on the reporting thread: <see cref="Progress{T}"/> would hand over to the pool and lose the order.</summary>
    private sealed class SpawnProgress(Action<string> report) : IProgress<string>
    {
        public void Report(string value) => report(value);
    }

    [LoggerMessage(Level = LogLevel.Information, EventName = "sandbox.created", Message = "sandbox {Id} runs {Image} on {Provider}, after {Ms:0.0} ms")]
    private static partial void Created(ILogger log, string id, string provider, string image, double ms);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "sandbox.create_failed", Message = "sandbox {Id} on {Provider} could not be created: {Problem}")]
    private static partial void CreateFailed(ILogger log, Exception? error, string id, string provider, string problem);

    [LoggerMessage(Level = LogLevel.Information, EventName = "spawn.progress", Message = "sandbox {Id}: {Step}")]
    private static partial void Progressing(ILogger log, string id, string step);

    [LoggerMessage(Level = LogLevel.Error, EventName = "sandbox.expiry_failed", Message = "the end of sandbox {Id} failed and comes again with the next reconciliation")]
    private static partial void ExpiryFailed(ILogger log, Exception error, string id);
}
