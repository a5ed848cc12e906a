using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Checkpoints;

/// <summary>
/// Copies of a running sandbox: it is saved once, and each copy is a spawn of its own from that, for the owner of the sandbox and within its limits. Those
/// that come are kept; nothing stays of the others, nor of what was saved.
/// </summary>
internal sealed class SandboxForks(CheckpointWork work, CheckpointCatalog catalog, SandboxDirectory sandboxes, OperationJournal journal)
{
    private const int MostAtOnce = 100;

    /// <summary>Copies that are built at a time.</summary>
    private const int Builders = 8;

    /// <exception cref="StacyVMException">As a checkpoint and as a spawn; when no copy comes, what kept the first one.</exception>
    public async Task<ForkResult> ForkAsync(string id, ForkRequest request, Caller caller, CancellationToken cancellation)
    {
        sandboxes.Get(id, caller);
        int count = request.Count ?? 1;
        if (count is < 1 or > MostAtOnce)
            throw new StacyVMException(ProblemKind.InvalidInput, $"count is {count}, and must be between 1 and {MostAtOnce}");
        CheckpointRecord saved = await work.SaveAsync(id, "", caller, cancellation);
        try
        {
            using CheckpointHold held = catalog.Hold(saved);
            return await SpawnAsync(held.Origin, count, request, caller, cancellation);
        }
        finally
        {
            await work.RemoveInBackgroundAsync(saved);
        }
    }

    private async Task<ForkResult> SpawnAsync(SpawnOrigin origin, int count, ForkRequest request, Caller caller, CancellationToken cancellation)
    {
        var wanted = new SpawnRequest { Ttl = request.Ttl, Metadata = request.Metadata };
        var came = new SandboxInfo?[count];
        var failed = new Exception?[count];
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = Builders }, async (i, _) =>
        {
            try
            {
                came[i] = await sandboxes.CreateAsync(wanted, origin, caller, cancellation);
            }
            catch (Exception e)
            {
                failed[i] = e;
            }
        });
        List<SandboxInfo> children = [.. came.OfType<SandboxInfo>()];
        if (cancellation.IsCancellationRequested)
        {
            // Nobody learns their ids.
            foreach (SandboxInfo child in children)
                await sandboxes.DestroyAsync(child.Id, Caller.System, CancellationToken.None);
            cancellation.ThrowIfCancellationRequested();
        }
        List<Exception> failures = [.. failed.OfType<Exception>()];
        if (children.Count == 0)
            throw failures[0];
        journal.Events.Publish(
            "sandbox.forked", origin.Checkpoint.ParentSandbox,
            new Dictionary<string, string> { ["count"] = children.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            origin.Checkpoint.TenantId.Length == 0 ? null : origin.Checkpoint.TenantId, origin.Checkpoint.OwnerId);
        return new ForkResult { Sandboxes = children, Failures = failures.Count == 0 ? null : [.. failures.Select(Told)] };
    }

    private static ForkFailure Told(Exception error)
    {
        var kind = error is StacyVMException problem ? problem.Kind : ProblemKind.Internal;
        return new ForkFailure { Code = Problem.Of(kind).Code, Message = error is StacyVMException ? error.Message : "internal error" };
    }
}
