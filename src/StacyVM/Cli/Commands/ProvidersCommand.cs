using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ProvidersCommand
{
    public static Command Create()
    {
        var test = new Option<bool>("--test") { Description = "Try every level now" };
        var command = new Command("providers", "Show the isolation levels and whether they work here") { test };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            if (parsed.GetValue(test))
                await client.ProvidersTestAsync(cancellation);
            List<ProviderInfo> all = [.. await client.ProvidersAsync(cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(all, RestJson.Default.ListProviderInfo);
                return;
            }
            var table = new TextTable("NAME", "HEALTHY", "DEFAULT", "SANDBOXES", "REMARK");
            foreach (ProviderInfo provider in all)
            {
                table.Add(
                    provider.Name,
                    provider.Healthy ? "yes" : "no",
                    provider.Default ? "yes" : "",
                    provider.RuntimeCount?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-",
                    provider.Error ?? (provider.Images is { Count: > 0 } images ? "images: " + string.Join(", ", images) : ""));
            }
            Console.Out.Write(table);
        });
        return command;
    }
}
