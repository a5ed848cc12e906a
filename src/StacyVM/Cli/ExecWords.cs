using System.CommandLine;

namespace StacyVM.Cli;

/// <summary>
/// Marks where the words of <c>exec</c>'s command begin: after the id and our own options, which may stand on either side of it. From there
/// on every word is the command's, dashes or not, as users of <c>ssh</c> and <c>docker exec</c> expect.
/// </summary>
internal static class ExecWords
{
    /// <summary>The same arguments, with the <c>--</c> that a user may leave out.</summary>
    public static string[] Separate(string[] args, RootCommand root)
    {
        Command exec = root.Subcommands.Single(command => command.Name == "exec");
        List<Option> options = [.. root.Options, .. exec.Options];
        int positionals = 0;
        for (int at = 0; at < args.Length; at++)
        {
            string word = args[at];
            if (word == "--")
                return args;
            if (word.StartsWith('-') && word.Length > 1)
            {
                if (options.Find(option => option.Name == word || option.Aliases.Contains(word)) is { } option && option.ValueType != typeof(bool))
                    at++;
                continue;
            }
            // The command's name, the id, and then the first word of what is to run.
            positionals++;
            if (positionals == 1 && word != exec.Name)
                return args;
            if (positionals == 3)
                return [.. args[..at], "--", .. args[at..]];
        }
        return args;
    }
}
