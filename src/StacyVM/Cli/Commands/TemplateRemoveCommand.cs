using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class TemplateRemoveCommand
{
    public static Command Create()
    {
        Argument<string> name = CommonArguments.TemplateName();
        var command = new Command("rm", "Delete a template; sandboxes made of it live on") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await client.Templates.DeleteAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new StatusBody { Status = "deleted" }, RestJson.Default.StatusBody);
            else
                Console.Out.WriteLine($"Template {parsed.GetValue(name)} deleted");
        });
        return command;
    }
}
