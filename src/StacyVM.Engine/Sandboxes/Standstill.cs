using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Lets sandboxes stand still and go on. Its time runs on meanwhile, and its end comes as for any other.</summary>
internal sealed class Standstill(SandboxRegister register, ProviderRegistry providers, OperationJournal journal)
{
    /// <summary>1 ask the level, 2 write the state, 3 tell. Repeating it is not an error.</summary>
    /// <param name="entry">A sandbox that is there.</param>
    /// <param name="pause">Or resume.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="cancellation">Abandons the wait; the level then says what it is.</param>
    public async Task ChangeAsync(SandboxEntry entry, bool pause, Caller caller, CancellationToken cancellation)
    {
        string operation = pause ? "pause" : "resume";
        long start = journal.Start();
        try
        {
            // 1.
            IPauses level = LevelOf(entry.Record);
            if (entry.Record.State == SandboxStates.Stopped)
                throw new StacyVMException(ProblemKind.SandboxGone, $"{entry.Id} has ended: {entry.Record.Reason}");
            await (pause ? level.PauseAsync(entry.Id, cancellation) : level.ResumeAsync(entry.Id, cancellation));
            FaultPoints.Hit(pause ? "pause.done" : "resume.done");
        }
        catch (Exception e)
        {
            journal.Count(operation, entry.Record.Provider, start, e);
            journal.Audit(caller, $"sandbox.{operation}", entry.Record, "", e, "");
            throw;
        }
        // 2.
        string wanted = pause ? SandboxStates.Paused : SandboxStates.Running;
        bool changed = await register.ChangeAsync(entry, record =>
            record.State == wanted || record.State is SandboxStates.Creating or SandboxStates.Destroying or SandboxStates.Destroyed ? null : record with { State = wanted, Reason = "" });
        // 3.
        journal.Count(operation, entry.Record.Provider, start, null);
        journal.Audit(caller, $"sandbox.{operation}", entry.Record, "", null, "");
        if (changed)
            journal.Publish(pause ? "sandbox.paused" : "sandbox.resumed", entry.Record);
    }

    private IPauses LevelOf(SandboxRecord record) => providers.Find(record.Provider) as IPauses ?? throw new StacyVMException(
        ProblemKind.Unsupported, $"{record.Provider} cannot let a sandbox stand still; {Those(providers.All.Where(provider => provider is IPauses))}");

    private static string Those(IEnumerable<ISandboxProvider> able) =>
        able.Select(provider => provider.Name).ToList() is { Count: > 0 } names ? $"of the providers here, {string.Join(", ", names)} can" : "no provider here can";
}
