using System.Text;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Quoting for <c>sh</c>.</summary>
internal static class ShellText
{
    /// <summary>The command as it is, then each argument in single quotes.</summary>
    public static string Join(string command, IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
            return command;
        var text = new StringBuilder(command);
        foreach (string argument in arguments)
            text.Append(' ').Append('\'').Append(argument.Replace("'", "'\"'\"'", StringComparison.Ordinal)).Append('\'');
        return text.ToString();
    }
}
