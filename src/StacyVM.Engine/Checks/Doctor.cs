using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Docker;

namespace StacyVM.Engine.Checks;

/// <summary>Tries what a server with this configuration would do on this machine. It changes nothing that stays.</summary>
internal static class Doctor
{
    private static readonly string[] Rules =
        ["auth.enabled", "auth.api_key", "auth.admin_api_key", "auth.key_separation", "auth.admin_fallback_enabled", "database.driver", "database.path"];

    /// <summary>1 does the configuration load, 2 its keys, 3 the data, 4 the kernel, 5 the levels, by making a sandbox on each.</summary>
    /// <param name="sources">Where the configuration comes from.</param>
    /// <param name="production">What is only a warning elsewhere is then a failure.</param>
    /// <param name="agentProgram">Opens the agent's bytes.</param>
    public static async Task<IReadOnlyList<Check>> RunAsync(ConfigurationSources sources, bool production, Func<Stream> agentProgram)
    {
        // 1.
        LoadedConfiguration loaded;
        try
        {
            loaded = ConfigurationLoader.Load(sources);
        }
        catch (ConfigurationException faults)
        {
            return ConfigurationLint.Faults(faults);
        }
        StacyOptions options = loaded.Options;
        List<Check> found = [new("config", CheckStatus.Pass, loaded.File is null ? "no file: defaults, variables and flags" : $"loaded {loaded.File}")];
        // 2.
        var values = new ConfiguredValues(loaded);
        foreach (string name in Rules)
        {
            if (LintRules.Of(name).Run(values) is { } finding)
                found.Add(finding.ToCheck(name, production));
        }
        // 3.
        foreach ((string name, Finding finding) in DataChecks.Run(options))
            found.Add(finding.ToCheck(name, production));
        // 4.
        foreach ((string name, Finding finding) in KernelChecks.Run())
            found.Add(finding.ToCheck(name, production));
        // 5.
        IReadOnlyList<Level> levels = await LevelProbe.RunAsync(options, agentProgram, NullLoggerFactory.Instance).ConfigureAwait(false);
        foreach ((string name, Finding finding) in Judge(options.Providers, levels))
            found.Add(finding.ToCheck(name, production));
        return found;
    }

    /// <summary>Only the level that sandboxes get by default must work; what else is missing is worth a word.</summary>
    internal static IEnumerable<(string Name, Finding Finding)> Judge(ProvidersOptions options, IReadOnlyList<Level> levels)
    {
        string? chosen = options.Default == ProviderRegistry.Auto
            ? ProviderRegistry.AutoOrder(options.Docker.Runtime).FirstOrDefault(name => levels.Any(level => level.Name == name && ProviderRegistry.IsForAuto(level.Health)))
            : options.Default;
        yield return ("providers.default", chosen is null
            ? Finding.Fail("no isolation level works on this machine", "see the fixes of the levels below")
            : Finding.Pass(options.Default == ProviderRegistry.Auto ? $"auto: {chosen}" : chosen));
        foreach (Level level in levels)
        {
            ProviderHealth health = level.Health;
            if (!health.Healthy)
            {
                string error = health.Error ?? "no reason was given";
                yield return (level.Name, level.Name == chosen
                    ? Finding.Fail(error, $"{Remedy(level.Name)}, or set providers.default to another level")
                    : Finding.Warn(error, $"{Remedy(level.Name)}; it is needed only for sandboxes of this level"));
                continue;
            }
            yield return (level.Name, Finding.Pass($"{health.Proof ?? "a sandbox was made and removed"} in {level.Took.TotalMilliseconds:0} ms"));
            foreach ((string name, string sentence) in health.Enforced ?? new Dictionary<string, string>())
                yield return ($"{level.Name}.{name}", Judge(name, sentence, health.Gaps.Contains(name)));
        }
        // A level without a wall is nothing to recommend.
        foreach (string name in ProviderRegistry.AutoOrder(options.Docker.Runtime).Where(name => name != "proot" && levels.All(level => level.Name != name)))
            yield return (name, Finding.Warn("not enabled", $"set providers.{name}.enabled: true for sandboxes of this level"));
    }

    private static string Remedy(string level) => level switch
    {
        DockerProvider.ProviderName => "install and start a Docker engine (apt-get install docker.io), or name the one you have in providers.docker.socket",
        "proot" => "install it (apt-get install proot)",
        "gvisor" => "install it (apt-get install runsc) and run the server as root",
        "bubblewrap" => "install it (apt-get install bubblewrap), and allow what the message names",
        "qemu" => "install QEMU and a guest kernel (apt-get install qemu-system-x86 linux-image-cloud-amd64)",
        _ => "put right what the message names",
    };

    private static Finding Judge(string name, string sentence, bool gap) => name switch
    {
        _ when !gap => Finding.Pass(sentence),
        DockerProbe.OldRuntime => Finding.Unfit(sentence, "install a fixed release, or the package of your distribution that has the fixes"),
        "boundary" => Finding.Unfit(sentence, "set providers.proot.enabled: false where sandboxes run what you have not read"),
        "namespaces" => Finding.Warn(sentence, "use another level where that matters"),
        "disk" => Finding.Warn(sentence, "keep the data of containers on a disk of its own, or set providers.docker.read_only_rootfs: true"),
        _ => Finding.Warn(sentence, "a sandbox may take more of this machine than it was given: see the reason in the message"),
    };
}
