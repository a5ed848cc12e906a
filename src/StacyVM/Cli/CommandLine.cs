using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using StacyVM.Cli.Commands;
using StacyVM.Cli.Output;

namespace StacyVM.Cli;

/// <summary>The command line: its commands, and the one place where their failures become text and exit codes.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed = Parse(args);
        bool json = !parsed.Errors.Any() && parsed.GetValue(GlobalOptions.Json);
        if (parsed.Action is ParseErrorAction)
        {
            string command = string.Join(' ', Path(parsed.CommandResult.Command).Reverse());
            ErrorBlock.WriteUsage(string.Join('\n', parsed.Errors.Select(error => error.Message)), command);
            return ErrorBlock.UsageExitCode;
        }
        // Commands that must do something before they end on a signal say so themselves.
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        try
        {
            return await parsed.InvokeAsync(invocation);
        }
        catch (Exception fault)
        {
            return ErrorBlock.Write(fault, json);
        }
    }

    public static ParseResult Parse(string[] args)
    {
        RootCommand root = Build();
        return root.Parse(ExecWords.Separate(args, root));
    }

    /// <summary>The whole tree of commands.</summary>
    public static RootCommand Build()
    {
        var root = new RootCommand("Isolated sandboxes for AI agents: start them, run commands and move files in them, throw them away.")
        {
            ServeCommand.Create(),
            SpawnCommand.Create(),
            ExecCommand.Create(),
            ListCommand.Create(),
            GetCommand.Create(),
            LogsCommand.Create(),
            CopyCommand.Create(),
            FilesCommand.Create(),
            ExtendCommand.Create(),
            KillCommand.Create(),
            PruneCommand.Create(),
            PauseCommand.Create(),
            PauseCommand.CreateResume(),
            ForkCommand.Create(),
            CheckpointCommand.Create(),
            PreviewCommand.Create(),
            ProcessesCommand.Create(),
            AttachCommand.Create(),
            SignalCommand.Create(),
            StatsCommand.Create(),
            EventsCommand.Create(),
            ProvidersCommand.Create(),
            WorkersCommand.Create(),
            DiagnosticsCommand.Create(),
            MetricsCommand.Create(),
            ImageCommand.Create(),
            QuotaCommand.Create(),
            AuditCommand.Create(),
            ConfigCommand.Create(),
            DoctorCommand.Create(),
            DatabaseCommand.Create(),
            UpgradeCommand.Create(),
            SupportCommand.Create(),
            SetupCommand.Create(),
            UninstallCommand.Create(),
            TemplateCommand.Create(),
            EnvironmentCommand.Create(),
            BenchCommand.Create(),
            CompletionCommand.Create(),
            VersionCommand.Create(),
        };
        GlobalOptions.AddTo(root);
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction();
        root.SetAction(parsed => new HelpAction().Invoke(parsed));
        return root;
    }

    /// <summary>The words of every command, e.g. <c>db backup</c>; the first is the program itself, without words.</summary>
    internal static IEnumerable<string[]> Paths() => Paths(Build(), []);

    private static IEnumerable<string[]> Paths(Command command, string[] words) =>
        command.Subcommands.SelectMany(inner => Paths(inner, [.. words, inner.Name])).Prepend(words);

    private static IEnumerable<string> Path(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
            yield return at is RootCommand ? "stacyvm" : at.Name;
    }
}
