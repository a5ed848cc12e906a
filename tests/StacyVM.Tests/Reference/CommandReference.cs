using System.CommandLine;
using System.Text;

namespace StacyVM.Tests.Reference;

/// <summary>The reference page of the command line, written from its tree of commands.</summary>
internal static class CommandReference
{
    private const string Introduction = """
        # Command line

        `stacyvm <command> --help` says the same. Results go to stdout, everything else to stderr; `--json` prints results for machines. The exit code is that of
        the problem (see [errors](errors.md)), of the command that `exec` ran, or 1 when checks have failed. Keys are taken from `--api-key-file` or
        `STACYVM_API_KEY`; an option's value is visible to the other users of a machine.

        """;

    public static string Markdown(RootCommand root)
    {
        var page = new StringBuilder(Introduction);
        page.Append("\n## Options of every command\n");
        Options(page, root);
        foreach (Command command in root.Subcommands)
            Append(page, command, "stacyvm");
        return page.ToString();
    }

    private static void Append(StringBuilder page, Command command, string parent)
    {
        if (command.Hidden)
            return;
        string path = $"{parent} {command.Name}";
        page.Append($"\n## {path}\n\n{Prose(command.Description)}.\n");
        if (command.Aliases.Count > 0)
            page.Append($"Also: {string.Join(", ", command.Aliases.Order().Select(alias => $"`{alias}`"))}.\n");
        if (command.Action is not null)
            page.Append($"\n    {path}{string.Concat(command.Arguments.Select(Placeholder))}{(command.Options.Any(option => !option.Hidden) ? " [options]" : "")}\n");
        if (command.Arguments.Count > 0)
        {
            page.Append("\n| argument | meaning |\n|---|---|\n");
            foreach (Argument argument in command.Arguments)
                page.Append($"| `{argument.Name}` | {Prose(argument.Description)} |\n");
        }
        Options(page, command);
        foreach (Command inner in command.Subcommands)
            Append(page, inner, path);
    }

    private static void Options(StringBuilder page, Command command)
    {
        Option[] options = [.. command.Options.Where(option => !option.Hidden)];
        if (options.Length == 0)
            return;
        page.Append("\n| option | meaning |\n|---|---|\n");
        foreach (Option option in options)
        {
            string names = string.Join(", ", option.Aliases.Prepend(option.Name).Distinct().OrderBy(name => name.Length).Select(name => $"`{name}`"));
            string value = option.ValueType == typeof(bool) || option.ValueType == typeof(void) ? "" : $" `{option.HelpName ?? option.Name.TrimStart('-')}`";
            page.Append($"| {names}{value} | {Prose(option.Description)} |\n");
        }
    }

    private static string Placeholder(Argument argument)
    {
        string name = argument.Arity.MaximumNumberOfValues > 1 ? $"<{argument.Name}>…" : $"<{argument.Name}>";
        return argument.Arity.MinimumNumberOfValues == 0 ? $" [{name}]" : $" {name}";
    }

    private static string Prose(string? text) => (text ?? "").Replace("|", "\\|").Replace("<", "\\<").TrimEnd('.');
}
