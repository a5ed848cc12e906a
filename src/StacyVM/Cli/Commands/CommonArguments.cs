using System.CommandLine;
using System.CommandLine.Parsing;
using StacyVM.Cli.Completion;
using StacyVM.Protocol;

namespace StacyVM.Cli.Commands;

/// <summary>Arguments that several commands share.</summary>
internal static class CommonArguments
{
    public static Argument<string> SandboxId(string name = "id")
    {
        var argument = new Argument<string>(name) { Description = "Id of the sandbox" };
        argument.CompletionSources.Add(ServerCompletion.SandboxIds);
        return argument;
    }

    public static Argument<string> TemplateName()
    {
        var argument = new Argument<string>("name") { Description = "Name of the template" };
        argument.CompletionSources.Add(ServerCompletion.Templates);
        return argument;
    }

    public static Option<string?> Duration(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "duration" };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !GoDuration.TryParse(text, out _))
                result.AddError($"'{text}' is not a duration; write for example 30s, 10m or 1h30m");
        });
        return option;
    }

    /// <summary>An option that may be given many times, as <c>NAME=value</c>.</summary>
    public static Option<string[]> Pairs(string name, string alias, string description)
    {
        var option = new Option<string[]>(name, alias) { Description = description, HelpName = "name=value", DefaultValueFactory = _ => [] };
        option.Validators.Add(result =>
        {
            foreach (string pair in result.GetValueOrDefault<string[]>() ?? [])
            {
                if (pair.IndexOf('=') <= 0)
                    result.AddError($"'{pair}' is not NAME=value");
            }
        });
        return option;
    }

    /// <summary>Later pairs win.</summary>
    public static Dictionary<string, string>? ToDictionary(string[]? pairs)
    {
        if (pairs is not { Length: > 0 })
            return null;
        var result = new Dictionary<string, string>();
        foreach (string pair in pairs)
        {
            int at = pair.IndexOf('=');
            result[pair[..at]] = pair[(at + 1)..];
        }
        return result;
    }
}
