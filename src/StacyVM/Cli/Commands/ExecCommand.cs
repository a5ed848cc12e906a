using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Cli.Terminal;
using StacyVM.Protocol;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ExecCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var words = new Argument<string[]>("command")
        {
            Description = "Command and its arguments; everything after the id, or after --",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var shell = new Option<bool>("--shell") { Description = "Run the words, joined by blanks, with sh -c" };
        var input = new Option<bool>("--interactive", "-i") { Description = "Feed stdin to the command" };
        var terminal = new Option<bool>("--tty", "-t") { Description = "Run on a terminal" };
        Option<string[]> env = CommonArguments.Pairs("--env", "-e", "Environment variable; may be repeated");
        var workdir = new Option<string?>("--workdir", "-w") { Description = "Working directory [default: /workspace]", HelpName = "directory" };
        Option<string?> timeout = CommonArguments.Duration("--timeout", "Kill the command and its children after so long [default: the server's]");
        var background = new Option<bool>("--background", "-d") { Description = "Let it run on its own and print its number" };
        var command = new Command("exec", "Run a command in a sandbox; exits with its exit code")
        {
            shell, input, terminal, env, workdir, timeout, background, id, words,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string[] given = parsed.GetValue(words) ?? [];
            if (given.Length == 0)
                throw new UsageException($"no command given; write for example: stacyvm exec {parsed.GetValue(id)} -- ls -l");
            var exec = new ExecInvocation(given, parsed.GetValue(shell))
            {
                Env = CommonArguments.ToDictionary(parsed.GetValue(env)),
                Workdir = parsed.GetValue(workdir),
                Timeout = parsed.GetValue(timeout) is { } text && GoDuration.TryParse(text, out TimeSpan limit) ? limit : null,
                Input = parsed.GetValue(input),
                Terminal = parsed.GetValue(terminal),
            };
            return RunAsync(parsed, parsed.GetRequiredValue(id), exec, parsed.GetValue(background), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, string id, ExecInvocation exec, bool background, CancellationToken cancellation)
    {
        using StacyClient client = GlobalOptions.ClientOf(parsed);
        Sandbox sandbox = client.Refer(id);
        bool json = parsed.GetValue(GlobalOptions.Json);
        if (background)
        {
            ProcessInfo process = await sandbox.StartBackgroundAsync(exec.Command, exec.ToOptions(), cancellation);
            if (json)
                Printer.Json(process, RestJson.Default.ProcessInfo);
            else
                Console.Out.WriteLine($"Process {process.ProcessId} started (attach: stacyvm attach {id} {process.ProcessId})");
            return 0;
        }
        if (json)
        {
            string? stdin = exec.Input ? await new StreamReader(StandardInput.Open()).ReadToEndAsync(cancellation) : null;
            ExecResult result = await sandbox.ExecAsync(exec.Command, exec.ToOptions() with { Stdin = stdin }, cancellation);
            Printer.Json(result, RestJson.Default.ExecResult);
            return result.ExitCode;
        }
        await using ExecSession session = await sandbox.OpenSessionAsync(exec.Command, exec.ToSessionOptions(RawTerminal.Size), cancellation);
        return await new SessionConsole(session).RunAsync(exec.Input, exec.Terminal, closeInput: true, cancellation);
    }
}
