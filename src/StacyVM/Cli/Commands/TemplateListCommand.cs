using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class TemplateListCommand
{
    public static Command Create()
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print only names" };
        var command = new Command("list", "List templates") { quiet };
        command.Aliases.Add("ls");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<TemplateInfo> all = [.. await client.Templates.ListAsync(cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(all, RestJson.Default.ListTemplateInfo);
            else if (parsed.GetValue(quiet))
                all.ForEach(template => Console.Out.WriteLine(template.Name));
            else if (all.Count == 0)
                Console.Out.WriteLine("No templates");
            else
                Print(all);
        });
        return command;
    }

    private static void Print(List<TemplateInfo> all)
    {
        var table = new TextTable("NAME", "VERSION", "IMAGE", "PROVIDER", "MEMORY", "VCPUS", "TTL", "DESCRIPTION");
        foreach (TemplateInfo template in all)
        {
            table.Add(
                template.Name, template.Version.ToString(CultureInfo.InvariantCulture), template.Image, template.Provider ?? "-", $"{template.MemoryMb} MB",
                template.Vcpus.ToString(CultureInfo.InvariantCulture), template.Ttl, template.Description ?? "");
        }
        Console.Out.Write(table);
    }
}
