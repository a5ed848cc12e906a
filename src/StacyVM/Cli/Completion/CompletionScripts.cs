namespace StacyVM.Cli.Completion;

/// <summary>Scripts for shells. Each asks the program itself through its <c>[suggest:position]</c> directive, so that they never grow old.</summary>
internal static class CompletionScripts
{
    public static readonly string[] Shells = ["bash", "zsh", "fish", "powershell"];

    public static string Of(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        "fish" => Fish,
        "powershell" => PowerShell,
        _ => throw new UsageException($"no completion for '{shell}'; there is {string.Join(", ", Shells)}"),
    };

    private const string Bash =
        """
        # source <(stacyvm completion bash)
        _stacyvm_complete() {
            local IFS=$'\n' candidate
            COMPREPLY=()
            for candidate in $("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null); do
                COMPREPLY+=("${candidate}")
            done
        }
        complete -o default -F _stacyvm_complete stacyvm

        """;

    private const string Zsh =
        """
        #compdef stacyvm
        # source <(stacyvm completion zsh)
        _stacyvm() {
            local -a candidates
            candidates=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            if [[ -n "${candidates[1]}" ]]; then
                compadd -a candidates
            else
                _files
            fi
        }
        if [[ "${funcstack[1]}" == "_stacyvm" ]]; then
            _stacyvm "$@"
        else
            compdef _stacyvm stacyvm
        fi

        """;

    private const string Fish =
        """
        # stacyvm completion fish | source
        function __stacyvm_complete
            set --local line (commandline --cut-at-cursor --current-process)
            stacyvm "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete --command stacyvm --arguments "(__stacyvm_complete)"

        """;

    private const string PowerShell =
        """
        # stacyvm completion powershell | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName stacyvm -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            $line = $commandAst.Extent.ToString()
            $position = [Math]::Max($cursorPosition, $line.Length)
            stacyvm "[suggest:$position]" $line.PadRight($position) 2>$null | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }

        """;
}
