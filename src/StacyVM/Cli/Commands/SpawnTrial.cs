using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

/// <summary><c>spawn --dry-run</c>: whether a spawn would be let in, in words and as an exit code.</summary>
internal static class SpawnTrial
{
    /// <returns>0 when it would be let in now, else the exit code that the spawn would end with.</returns>
    public static async Task<int> RunAsync(ParseResult parsed, StacyClient client, SpawnRequest request, CancellationToken cancellation)
    {
        SpawnAdmissionDecision decision = await client.AdmissionAsync(request, placement: false, cancellation);
        if (parsed.GetValue(GlobalOptions.Json))
            Printer.Json(decision, RestJson.Default.SpawnAdmissionDecision);
        else
            Console.Out.WriteLine(Sentence(decision));
        return decision.Allowed ? 0 : Problem.Of(ProblemKind.ResourceLimit).ExitCode;
    }

    internal static string Sentence(SpawnAdmissionDecision decision)
    {
        string places = decision.MaxSandboxes == 0 ? $"{decision.ActiveSandboxes} sandboxes, no limit" : $"{decision.ActiveSandboxes} of {decision.MaxSandboxes} sandboxes";
        if (decision.Allowed)
            return $"It would be started ({places})";
        string why = decision.Reason switch
        {
            AdmissionReasons.MaxTtl => $"its time to live is longer than {decision.MaxTtl}",
            AdmissionReasons.MaxSandboxes => $"the server is full ({places})",
            AdmissionReasons.MaxSandboxesPerOwner => $"the owner has {decision.ActiveOwnerSandboxes} of {decision.MaxOwnerSandboxes} sandboxes",
            AdmissionReasons.WorkerUnavailable => "nothing can run it now; see: stacyvm providers",
            _ => decision.Reason ?? "no reason given",
        };
        return $"{(decision.Queueable ? "It would wait in the queue" : "It would be refused")}: {why}";
    }
}
