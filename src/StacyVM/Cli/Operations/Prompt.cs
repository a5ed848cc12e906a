namespace StacyVM.Cli.Operations;

/// <summary>Questions to a person.</summary>
internal sealed class Prompt(TextReader input, TextWriter output)
{
    /// <summary>Whether there is somebody to ask.</summary>
    public static bool IsPossible => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    public static Prompt OfTerminal() => new(Console.In, Console.Out);

    /// <summary>One of some words; asked again until it is one.</summary>
    public string Choose(string question, string[] choices, string otherwise)
    {
        while (true)
        {
            string answer = Ask($"{question} ({string.Join(", ", choices)})", otherwise);
            if (choices.Contains(answer))
                return answer;
            output.WriteLine($"  not one of {string.Join(", ", choices)}");
        }
    }

    public string Ask(string question, string otherwise)
    {
        output.Write($"{question} [{otherwise}]: ");
        // The end of the input leaves everything as it is.
        return input.ReadLine()?.Trim() is { Length: > 0 } answer ? answer : otherwise;
    }

    public bool Confirm(string question, bool otherwise)
    {
        output.Write($"{question} [{(otherwise ? "Y/n" : "y/N")}] ");
        return input.ReadLine()?.Trim().ToLowerInvariant() switch
        {
            null or "" => otherwise,
            "y" or "yes" => true,
            _ => false,
        };
    }

    public void Say(string text) => output.WriteLine(text);
}
