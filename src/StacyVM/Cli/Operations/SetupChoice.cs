using StacyVM.Engine.Checks;

namespace StacyVM.Cli.Operations;

/// <summary>What a set-up is to write.</summary>
/// <param name="Provider"><c>auto</c>, <c>bubblewrap</c> or <c>docker</c>.</param>
/// <param name="Runtime">Of Docker; null where Docker plays no part.</param>
/// <param name="PreviewDomain">Domain part of preview URLs.</param>
/// <param name="Completion">Whether start files of shells get a block.</param>
internal sealed record SetupChoice(string Provider, string? Runtime, string PreviewDomain, bool Completion)
{
    public static readonly string[] Providers = ["auto", "bubblewrap", "docker"];

    public static readonly string[] Runtimes = ["runc", "runsc", "kata-runtime"];

    /// <summary>Asks for what was not given, with the findings of this machine beside each question.</summary>
    public static async Task<SetupChoice> AskAsync(Prompt prompt, SetupGiven given, Func<Task<IReadOnlyList<Level>>> probe)
    {
        string provider = given.Provider ?? "";
        if (provider.Length == 0)
        {
            prompt.Say("Trying which isolation levels work on this machine …\n");
            foreach (Level level in await probe())
                prompt.Say($"  {level.Name}: {(level.Health.Healthy ? "works" : $"does not work yet: {level.Health.Error}")}");
            prompt.Say("");
            provider = prompt.Choose("Isolation level for sandboxes", Providers, "auto");
        }
        string? runtime = provider == "bubblewrap" ? null : Kata(given.Runtime) ?? prompt.Choose("Runtime of Docker", Runtimes, "runc");
        return new SetupChoice(
            provider, runtime,
            given.PreviewDomain ?? prompt.Ask("Domain for preview URLs", "localhost"),
            given.Completion ?? prompt.Confirm("Complete commands with the Tab key in your shells?", otherwise: true));
    }

    /// <summary>The same, with what is usual where nothing was given.</summary>
    public static SetupChoice From(SetupGiven given)
    {
        string provider = given.Provider ?? "auto";
        return new SetupChoice(provider, provider == "bubblewrap" ? null : Kata(given.Runtime) ?? "runc", given.PreviewDomain ?? "localhost", given.Completion ?? false);
    }

    /// <summary>The keys to set. The chosen level is switched on too, or the server would not start.</summary>
    public Dictionary<string, string> Keys()
    {
        var keys = new Dictionary<string, string> { ["server.preview_domain"] = PreviewDomain, ["providers.default"] = Provider };
        if (Provider != "auto")
            keys[$"providers.{Provider}.enabled"] = "true";
        if (Runtime is not null)
            keys["providers.docker.runtime"] = Runtime;
        return keys;
    }

    /// <summary>Docker knows Kata under its whole name.</summary>
    private static string? Kata(string? runtime) => runtime == "kata" ? "kata-runtime" : runtime;
}
