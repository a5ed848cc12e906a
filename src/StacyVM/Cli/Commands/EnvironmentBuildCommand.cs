using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class EnvironmentBuildCommand
{
    public static Command Create() => new("build", "Builds of specs") { Start(), List(), Get(), Log(), Cancel(), SpawnConfig() };

    private static Command Start()
    {
        Argument<string> spec = EnvironmentCommand.Id("spec");
        var target = new Option<string[]>("--target", "-t") { Description = "Where the image goes: local, ghcr, dockerhub; may be repeated [default: local]", DefaultValueFactory = _ => [] };
        var command = new Command("start", "Queue a build; see how it goes with build get and build log") { spec, target };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, await client.Environments.BuildAsync(parsed.GetRequiredValue(spec), parsed.GetValue(target), cancellation));
        });
        return command;
    }

    private static Command List()
    {
        Argument<string> owner = EnvironmentCommand.Owner();
        var limit = new Option<int>("--limit") { Description = "How many, at most 200 [default: 30]", DefaultValueFactory = _ => 30 };
        var command = new Command("list", "List the builds of an owner, newest first") { owner, limit };
        command.Aliases.Add("ls");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<EnvironmentBuildEntry> all = [.. await client.Environments.BuildsAsync(parsed.GetRequiredValue(owner), parsed.GetValue(limit), cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(all, RestJson.Default.ListEnvironmentBuildEntry);
            else if (all.Count == 0)
                Console.Out.WriteLine("No builds");
            else
                Print(all.Select(entry => entry.Build));
        });
        return command;
    }

    private static Command Get()
    {
        Argument<string> id = EnvironmentCommand.Id("build");
        var command = new Command("get", "Show a build") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, await client.Environments.GetBuildAsync(parsed.GetRequiredValue(id), cancellation));
        });
        return command;
    }

    private static Command Log()
    {
        Argument<string> id = EnvironmentCommand.Id("build");
        var command = new Command("log", "Print what a build has said so far") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            EnvironmentBuildInfo build = await client.Environments.GetBuildAsync(parsed.GetRequiredValue(id), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(build, RestJson.Default.EnvironmentBuildInfo);
            else
                Console.Out.Write(build.Log);
        });
        return command;
    }

    private static Command Cancel()
    {
        Argument<string> id = EnvironmentCommand.Id("build");
        var command = new Command("cancel", "End a build that waits or runs") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, await client.Environments.CancelBuildAsync(parsed.GetRequiredValue(id), cancellation));
        });
        return command;
    }

    private static Command SpawnConfig()
    {
        Argument<string> id = EnvironmentCommand.Id("build");
        var command = new Command("spawn-config", "Show the image to spawn sandboxes with") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            EnvironmentSpawnConfig config = await client.Environments.SpawnConfigAsync(parsed.GetRequiredValue(id), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(config, RestJson.Default.EnvironmentSpawnConfig);
                return;
            }
            var table = new TextTable("PROVIDER", "IMAGE", "TARGET", "READY", "NOTE");
            table.Add(config.Provider, config.Image, config.Target, config.Ready ? "yes" : "no", config.Note);
            Console.Out.Write(table);
        });
        return command;
    }

    private static void Show(ParseResult parsed, EnvironmentBuildInfo build)
    {
        if (parsed.GetValue(GlobalOptions.Json))
            Printer.Json(build, RestJson.Default.EnvironmentBuildInfo);
        else
            Print([build]);
    }

    private static void Print(IEnumerable<EnvironmentBuildInfo> builds)
    {
        var table = new TextTable("ID", "STATUS", "STEP", "SIZE", "IMAGES", "CREATED", "ERROR");
        foreach (EnvironmentBuildInfo build in builds)
        {
            table.Add(
                build.Id, build.Status, build.CurrentStep, build.ImageSizeBytes == 0 ? "-" : Printer.Size(build.ImageSizeBytes),
                string.Join(' ', build.Artifacts.Select(artifact => $"{artifact.ImageRef} ({artifact.Status})")),
                build.CreatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), build.Error ?? "-");
        }
        Console.Out.Write(table);
    }
}
