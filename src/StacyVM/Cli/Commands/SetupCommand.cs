using System.CommandLine;
using StacyVM.Cli.Operations;
using StacyVM.Cli.Output;
using StacyVM.Engine.Configuration;

namespace StacyVM.Cli.Commands;

internal static class SetupCommand
{
    public static Command Create()
    {
        var provider = new Option<string?>("--provider") { Description = "Isolation level: auto, bubblewrap or docker" };
        provider.AcceptOnlyFromAmong(SetupChoice.Providers);
        var runtime = new Option<string?>("--runtime") { Description = "Runtime of Docker: runc, runsc (gVisor) or kata-runtime" };
        runtime.AcceptOnlyFromAmong([.. SetupChoice.Runtimes, "kata"]);
        var domain = new Option<string?>("--preview-domain") { Description = "Domain part of preview URLs" };
        var completion = new Option<bool?>("--completion") { Description = "Put command completion into the start files of your shells" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Ask nothing: what is not given has its default" };
        var command = new Command("setup", "Write the configuration of this machine's server, asking what is needed") { provider, runtime, domain, completion, yes };
        command.SetAction(async (parsed, _) =>
        {
            var given = new SetupGiven(parsed.GetValue(provider), parsed.GetValue(runtime), parsed.GetValue(domain), parsed.GetValue(completion));
            ConfigurationSources sources = MachineSources.Of(parsed);
            string file = sources.Absolute(parsed.GetValue(GlobalOptions.Config) ?? sources.Variable("STACYVM_CONFIG") ?? "~/.stacyvm/config.yaml");
            if (parsed.GetValue(yes))
                return Print(SetupRun.Write(sources, file, SetupChoice.From(given), TimeProvider.System), parsed.GetValue(GlobalOptions.Json));
            if (!Prompt.IsPossible)
                throw new UsageException("there is no terminal to ask on: say --yes, and what differs from the defaults by options");

            Prompt prompt = Prompt.OfTerminal();
            SetupChoice choice = await SetupChoice.AskAsync(prompt, given, SetupRun.ProbeAsync);
            prompt.Say($"\n{string.Concat(choice.Keys().Select(row => $"  {row.Key}: {row.Value}\n"))}");
            string question = File.Exists(file) ? $"{file} exists. Change these keys in it, and keep a copy of it as it is?" : $"Write this to {file}?";
            if (!prompt.Confirm(question, otherwise: !File.Exists(file)))
            {
                prompt.Say("Nothing was changed.");
                return 0;
            }
            return Print(SetupRun.Write(sources, file, choice, TimeProvider.System), parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    private static int Print(SetupResult result, bool json)
    {
        if (json)
        {
            Printer.Json(result, CliJson.Default.SetupResult);
            return 0;
        }
        Console.Out.WriteLine(result.Changed ? $"configuration written: {result.File}" : $"already so: {result.File}");
        if (result.Backup is { } backup)
            Console.Out.WriteLine($"as it was before: {backup}");
        foreach (string shell in result.Shells)
            Console.Out.WriteLine($"completion added: {shell}");
        Console.Out.WriteLine("\nNext: stacyvm doctor, then stacyvm serve");
        return 0;
    }
}
