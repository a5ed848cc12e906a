using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Cli.Templates;
using StacyVM.Cli.Terminal;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class EnvironmentRegistryCommand
{
    public static Command Create() => new("registry", "Accounts at registries that builds push with") { Save(), List(), Remove() };

    private static Command Save()
    {
        Argument<string> owner = EnvironmentCommand.Owner();
        var provider = new Argument<string>("provider") { Description = "ghcr or dockerhub" };
        provider.AcceptOnlyFromAmong("ghcr", "dockerhub");
        var username = new Argument<string>("username") { Description = "Account at the registry" };
        var secret = new Option<string>("--secret-from", "-S") { Description = "File with the password or token, or - for stdin; never on the command line", Required = true };
        var isDefault = new Option<bool>("--default") { Description = "Take this account before others of the same registry" };
        var id = new Option<string?>("--id") { Description = "Id of the connection to replace [default: a new one]" };
        var command = new Command("save", "Save an account") { owner, provider, username, secret, isDefault, id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            RegistryConnectionInfo saved = await client.Environments.SaveRegistryAsync(
                new RegistryConnectionRequest
                {
                    Id = parsed.GetValue(id),
                    OwnerId = parsed.GetRequiredValue(owner),
                    Provider = parsed.GetRequiredValue(provider),
                    Username = parsed.GetRequiredValue(username),
                    SecretRef = await SecretAsync(parsed.GetRequiredValue(secret), cancellation),
                    IsDefault = parsed.GetValue(isDefault),
                },
                cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(saved, RestJson.Default.RegistryConnectionInfo);
            else
                Print([saved]);
        });
        return command;
    }

    private static Command List()
    {
        Argument<string> owner = EnvironmentCommand.Owner();
        var command = new Command("list", "List the accounts of an owner, in the order in which builds prefer them") { owner };
        command.Aliases.Add("ls");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<RegistryConnectionInfo> all = [.. await client.Environments.RegistriesAsync(parsed.GetRequiredValue(owner), cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(all, RestJson.Default.ListRegistryConnectionInfo);
            else if (all.Count == 0)
                Console.Out.WriteLine("No accounts");
            else
                Print(all);
        });
        return command;
    }

    private static Command Remove()
    {
        Argument<string> id = EnvironmentCommand.Id("connection");
        var command = new Command("rm", "Forget an account with its secret") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await client.Environments.DeleteRegistryAsync(parsed.GetRequiredValue(id), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new StatusBody { Status = "deleted" }, RestJson.Default.StatusBody);
            else
                Console.Out.WriteLine($"Connection {TextTable.Visible(parsed.GetRequiredValue(id))} forgotten");
        });
        return command;
    }

    /// <summary>Editors and echo end a file with a line feed, which is no part of a token.</summary>
    private static async Task<string> SecretAsync(string source, CancellationToken cancellation) =>
        (source == "-" ? await new StreamReader(StandardInput.Open()).ReadToEndAsync(cancellation) : await TemplateSources.TextAsync(source, cancellation)).TrimEnd('\r', '\n');

    private static void Print(List<RegistryConnectionInfo> connections)
    {
        var table = new TextTable("ID", "PROVIDER", "USERNAME", "DEFAULT");
        foreach (RegistryConnectionInfo connection in connections)
            table.Add(connection.Id, connection.Provider, connection.Username, connection.IsDefault ? "yes" : "no");
        Console.Out.Write(table);
    }
}
