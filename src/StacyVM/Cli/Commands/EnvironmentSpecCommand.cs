using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class EnvironmentSpecCommand
{
    public static Command Create() => new("spec", "What images are made of") { New(), List(), Get() };

    private static Command New()
    {
        Argument<string> owner = EnvironmentCommand.Owner();
        var name = new Argument<string>("name") { Description = "Name of the spec; the owner has each once" };
        var image = new Option<string>("--base-image", "-i") { Description = "Image to start from", Required = true };
        var python = new Option<string[]>("--python", "-p") { Description = "Python package, such as 'pandas>=2,<3'; may be repeated", DefaultValueFactory = _ => [] };
        var apt = new Option<string[]>("--apt", "-a") { Description = "Debian package, such as libpq5 or curl=7.88.1-10; may be repeated", DefaultValueFactory = _ => [] };
        var version = new Option<string?>("--python-version") { Description = "Python version that the image must have, such as 3.12 [default: any]" };
        var command = new Command("create", "Save a spec") { owner, name, image, python, apt, version };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, await client.Environments.CreateSpecAsync(
                new EnvironmentSpecRequest
                {
                    OwnerId = parsed.GetRequiredValue(owner),
                    Name = parsed.GetRequiredValue(name),
                    BaseImage = parsed.GetRequiredValue(image),
                    PythonPackages = [.. parsed.GetValue(python) ?? []],
                    AptPackages = [.. parsed.GetValue(apt) ?? []],
                    PythonVersion = parsed.GetValue(version),
                },
                cancellation));
        });
        return command;
    }

    private static Command List()
    {
        Argument<string> owner = EnvironmentCommand.Owner();
        var command = new Command("list", "List the specs of an owner") { owner };
        command.Aliases.Add("ls");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<EnvironmentSpecInfo> all = [.. await client.Environments.SpecsAsync(parsed.GetRequiredValue(owner), cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(all, RestJson.Default.ListEnvironmentSpecInfo);
            else if (all.Count == 0)
                Console.Out.WriteLine("No specs");
            else
                Print(all);
        });
        return command;
    }

    private static Command Get()
    {
        Argument<string> id = EnvironmentCommand.Id("spec");
        var command = new Command("get", "Show a spec") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, await client.Environments.SpecAsync(parsed.GetRequiredValue(id), cancellation));
        });
        return command;
    }

    private static void Show(ParseResult parsed, EnvironmentSpecInfo spec)
    {
        if (parsed.GetValue(GlobalOptions.Json))
            Printer.Json(spec, RestJson.Default.EnvironmentSpecInfo);
        else
            Print([spec]);
    }

    private static void Print(List<EnvironmentSpecInfo> specs)
    {
        var table = new TextTable("ID", "NAME", "BASE IMAGE", "PYTHON", "PYTHON PACKAGES", "DEBIAN PACKAGES");
        foreach (EnvironmentSpecInfo spec in specs)
            table.Add(spec.Id, spec.Name, spec.BaseImage, spec.PythonVersion ?? "any", Text(spec.PythonPackages), Text(spec.AptPackages));
        Console.Out.Write(table);
    }

    private static string Text(IReadOnlyList<string> packages) => packages.Count == 0 ? "-" : string.Join(' ', packages);
}
