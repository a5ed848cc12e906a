using System.CommandLine;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class EventsCommand
{
    public static Command Create()
    {
        var type = new Option<string?>("--type") { Description = "Only this type, such as sandbox.created" };
        var sandbox = new Option<string?>("--sandbox") { Description = "Only this sandbox" };
        sandbox.CompletionSources.Add(ServerCompletion.SandboxIds);
        var after = new Option<string?>("--after") { Description = "Begin after this event, such as evt-12" };
        var command = new Command("events", "Print events as they happen, until interrupted") { type, sandbox, after };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            var filter = new EventFilter { Type = parsed.GetValue(type), SandboxId = parsed.GetValue(sandbox), AfterId = parsed.GetValue(after) };
            await foreach (EventMessage message in client.EventsAsync(filter, cancellation))
            {
                if (parsed.GetValue(GlobalOptions.Json))
                    Printer.Json(message, RestJson.Default.EventMessage);
                else
                    Console.Out.WriteLine(Line(message));
            }
        });
        return command;
    }

    private static string Line(EventMessage message)
    {
        string data = message.Data is null ? "" : string.Join(' ', message.Data.Select(pair => $"{pair.Key}={pair.Value}"));
        return TextTable.Visible($"{Printer.Clock(message.Timestamp)}  {message.Id,-10}  {message.Type,-20}  {message.SandboxId,-20}  {data}").TrimEnd();
    }
}
