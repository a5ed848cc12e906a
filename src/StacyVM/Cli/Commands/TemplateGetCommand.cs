using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class TemplateGetCommand
{
    public static Command Create()
    {
        Argument<string> name = CommonArguments.TemplateName();
        var command = new Command("get", "Show one template; values of secrets are never shown") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            TemplateInfo template = await client.Templates.GetAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(template, RestJson.Default.TemplateInfo);
            else
                Print(template);
        });
        return command;
    }

    private static void Print(TemplateInfo template)
    {
        Line("Name", template.Name);
        Line("Version", template.Version.ToString(CultureInfo.InvariantCulture));
        Line("Description", template.Description);
        Line("Image", template.Image);
        Line("Provider", template.Provider ?? "the server's default");
        Line("Memory", $"{template.MemoryMb} MB");
        Line("Processors", template.Vcpus.ToString(CultureInfo.InvariantCulture));
        Line("Time to live", template.Ttl);
        foreach (string command in template.Setup ?? [])
            Line("Setup", command);
        foreach ((string path, string text) in template.Files ?? new Dictionary<string, string>())
            Line("File", $"{path} ({Printer.Size(System.Text.Encoding.UTF8.GetByteCount(text))})");
        foreach ((string name, string value) in template.Env ?? new Dictionary<string, string>())
            Line("Environment", $"{name}={value}");
        foreach (TemplateSecretInfo secret in template.Secrets ?? [])
            Line("Secret", $"{secret.Name} at {secret.InjectAt}");
        foreach (string host in template.AllowedHosts ?? [])
            Line("Host", host);
        foreach ((string name, string value) in template.Metadata ?? new Dictionary<string, string>())
            Line("Metadata", $"{name}={value}");
        if (template.PoolSize > 0)
            Line("Pool", template.PoolSize.ToString(CultureInfo.InvariantCulture));
        Line("Created", $"{template.CreatedAt:yyyy-MM-dd HH:mm:ss} UTC");
        Line("Updated", $"{template.UpdatedAt:yyyy-MM-dd HH:mm:ss} UTC");
        foreach (string note in template.Notes ?? [])
            Line("Note", note);
    }

    private static void Line(string name, string? value)
    {
        if (value is not null)
            Console.Out.WriteLine($"{name + ":",-14}{TextTable.Visible(value)}");
    }
}
