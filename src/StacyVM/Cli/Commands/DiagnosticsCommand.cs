using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class DiagnosticsCommand
{
    public static Command Create()
    {
        var command = new Command("diagnostics", "Show the state of the server: levels, store, limits, sandboxes, operations");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            DiagnosticsInfo state = await client.DiagnosticsAsync(cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(state, RestJson.Default.DiagnosticsInfo);
            else
                Print(state);
        });
        return command;
    }

    private static void Print(DiagnosticsInfo state)
    {
        var facts = new TextTable("WHAT", "HOW");
        facts.Add("server", $"{state.Build.Version}, {state.Build.Goos}-{state.Build.Goarch}, up {state.Process.Uptime}");
        facts.Add("process", $"{state.Process.Goroutines} threads, {Printer.Size(state.Process.Memory.Sys)} in memory");
        facts.Add("store", state.Store.Healthy ? $"works, last write {state.Store.LatencyMs} ms" : $"does not work: {state.Store.Error}");
        facts.Add("sandboxes", $"{state.Sandboxes.Total}{Breakdown(state.Sandboxes.ByState)}");
        facts.Add("limits", $"sandboxes {Bound(state.Limits.MaxSandboxes)}, per owner {Bound(state.Limits.MaxSandboxesPerOwner)}, lifetime {Bound(state.Limits.MaxTtl)}, command {Bound(state.Limits.MaxExecTimeout)}");
        facts.Add("queue", $"{state.Scheduler.SpawnQueueDepth} of {state.Scheduler.MaxSpawnQueue} wait, on overflow {state.Scheduler.SpawnOverflow}");
        facts.Add("rate limit", state.RateLimit.Enabled ? $"{state.RateLimit.RequestsPerMinute} a minute, {state.RateLimit.LimitedTotal} refused" : "off");
        facts.Add("events", $"{state.Events.EventsTotal}, {state.Events.Subscribers} subscribers");
        foreach (ProviderInfo provider in state.Providers)
            facts.Add($"level {provider.Name}", provider.Healthy ? $"works{(provider.Default ? ", default" : "")}" : $"does not work: {provider.Error}");
        Console.Out.Write(facts);
        if (state.Operations.Count > 0)
        {
            Console.Out.WriteLine();
            Console.Out.Write(OperationTable.Of(state.Operations));
        }
    }

    private static string Breakdown(IReadOnlyDictionary<string, int> counts) =>
        counts.Count == 0 ? "" : $" ({string.Join(", ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")))})";

    private static string Bound(int most) => most == 0 ? "unlimited" : most.ToString(CultureInfo.InvariantCulture);

    private static string Bound(string longest) => longest == "0s" ? "unlimited" : longest;
}
