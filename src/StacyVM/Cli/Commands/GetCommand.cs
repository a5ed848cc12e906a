using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class GetCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var command = new Command("get", "Show one sandbox") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            SandboxInfo info = (await client.GetAsync(parsed.GetRequiredValue(id), cancellation)).Info!;
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(info, RestJson.Default.SandboxInfo);
            else
                Print(info);
        });
        return command;
    }

    private static void Print(SandboxInfo info)
    {
        Line("Id", info.Id);
        Line("State", info.Reason is null ? info.State : $"{info.State} ({info.Reason})");
        Line("Provider", info.Provider);
        Line("Image", info.Image);
        Line("Memory", $"{info.MemoryMb} MB");
        Line("Processors", info.Vcpus.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Line("Owner", info.OwnerId);
        Line("Tenant", info.TenantId);
        Line("Worker", info.WorkerId);
        Line("Created", $"{info.CreatedAt:yyyy-MM-dd HH:mm:ss} UTC");
        Line("Expires", $"{info.ExpiresAt:yyyy-MM-dd HH:mm:ss} UTC");
        Line("Previews", info.PreviewDomain is null ? null : $"http://<port>-{info.Id}.{info.PreviewDomain}");
        foreach ((string name, string value) in info.Metadata ?? new Dictionary<string, string>())
            Line("Metadata", $"{name}={value}");
    }

    private static void Line(string name, string? value)
    {
        if (value is not null)
            Console.Out.WriteLine($"{name + ":",-12}{TextTable.Visible(value)}");
    }
}
