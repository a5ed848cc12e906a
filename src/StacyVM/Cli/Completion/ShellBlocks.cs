namespace StacyVM.Cli.Completion;

/// <summary>Blocks in the start files of shells, between two marks: put in once, taken out without touching anything else.</summary>
internal static class ShellBlocks
{
    private const string Begin = "# StacyVM Autocomplete";
    private const string End = "# End of StacyVM Autocomplete";

    private static readonly (string File, string Body)[] Files =
    [
        (".zshrc", "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n(( $+commands[stacyvm] )) && source <(stacyvm completion zsh)"),
        (".bashrc", "command -v stacyvm >/dev/null 2>&1 && source <(stacyvm completion bash)"),
        (".config/fish/config.fish", "type -q stacyvm; and stacyvm completion fish | source"),
        (".config/powershell/Microsoft.PowerShell_profile.ps1", PowerShell),
        (".config/powershell/profile.ps1", PowerShell),
    ];

    private const string PowerShell = "if (Get-Command stacyvm -ErrorAction SilentlyContinue) { stacyvm completion powershell | Out-String | Invoke-Expression }";

    /// <summary>Puts a block into every start file that is there.</summary>
    /// <returns>The files that have changed.</returns>
    public static IReadOnlyList<string> Install(string home) => Change(home, (text, body) =>
    {
        string block = $"{Begin}\n{body}\n{End}\n";
        return Find(text) is var (from, to)
            ? text[..from] + block + text[to..]
            : (text.Length == 0 || text.EndsWith('\n') ? text : text + "\n") + block;
    });

    /// <summary>Takes the blocks out again.</summary>
    /// <returns>The files that have changed.</returns>
    public static IReadOnlyList<string> Remove(string home) => Change(home, (text, _) => Find(text) is var (from, to) ? text[..from] + text[to..] : text);

    /// <summary>Files that have a block.</summary>
    public static IReadOnlyList<string> Installed(string home) =>
        [.. Files.Select(row => Path.Combine(home, row.File)).Where(path => File.Exists(path) && Find(File.ReadAllText(path)) is not null)];

    private static List<string> Change(string home, Func<string, string, string> change)
    {
        var changed = new List<string>();
        foreach ((string file, string body) in Files)
        {
            string path = Path.Combine(home, file);
            if (!File.Exists(path))
                continue;
            string text = File.ReadAllText(path);
            string wanted = change(text, body);
            if (wanted == text)
                continue;
            // In place: start files are often links, and keep their owner and mode.
            File.WriteAllText(path, wanted);
            changed.Add(path);
        }
        return changed;
    }

    /// <summary>Where a whole block stands; null when there is none, or when its end is missing and what follows may be the user's.</summary>
    private static (int From, int To)? Find(string text)
    {
        int from = LineStart(text, Begin, 0);
        int end = from < 0 ? -1 : LineStart(text, End, from);
        if (end < 0)
            return null;
        int to = text.IndexOf('\n', end);
        return (from, to < 0 ? text.Length : to + 1);
    }

    private static int LineStart(string text, string line, int after)
    {
        for (int at = text.IndexOf(line, after, StringComparison.Ordinal); at >= 0; at = text.IndexOf(line, at + 1, StringComparison.Ordinal))
        {
            int end = at + line.Length;
            if ((at == 0 || text[at - 1] == '\n') && (end == text.Length || text[end] is '\n' or '\r'))
                return at;
        }
        return -1;
    }
}
