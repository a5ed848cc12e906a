namespace StacyVM.Engine.Configuration;

/// <summary>Checks that need more than one key, or the machine.</summary>
internal static class ConfigurationRules
{
    /// <summary>The faults of parsed options.</summary>
    /// <param name="options">Complete options.</param>
    /// <param name="placeOf">Where a key was set.</param>
    public static IEnumerable<ConfigurationFault> Check(StacyOptions options, Func<string, string> placeOf)
    {
        ProvidersOptions providers = options.Providers;
        var levels = new Dictionary<string, bool>
        {
            ["auto"] = true,
            ["docker"] = providers.Docker.Enabled,
            ["gvisor"] = providers.Gvisor.Enabled,
            ["bubblewrap"] = providers.Bubblewrap.Enabled,
            ["qemu"] = providers.Qemu.Enabled,
            ["proot"] = providers.Proot.Enabled,
            ["mock"] = providers.Mock.Enabled,
        };
        bool nameIsFree = levels.TryAdd(providers.Custom.Name, providers.Custom.Enabled);
        if (!levels.TryGetValue(providers.Default, out bool isDefaultEnabled))
            yield return Fault("providers.default", $"there is no level {providers.Default}", $"set one of {string.Join(", ", levels.Keys)}");
        else if (!isDefaultEnabled)
        {
            yield return Fault("providers.default", $"{providers.Default} is not enabled",
                $"set providers.{(providers.Default == providers.Custom.Name ? "custom" : providers.Default)}.enabled: true, or another default");
        }

        if (providers.Custom.Enabled && !nameIsFree)
            yield return Fault("providers.custom.name", $"{providers.Custom.Name} is the name of another level", "choose another name");
        if (providers.Custom.Enabled && providers.Custom.BaseUrl.Length == 0)
            yield return Fault("providers.custom.base_url", "the backend is enabled, and has no address", "set providers.custom.base_url, or providers.custom.enabled: false");

        if ((ulong)providers.Bubblewrap.UidBase + providers.Bubblewrap.UidCount > uint.MaxValue)
            yield return Fault("providers.bubblewrap.uid_count", "the user ids end beyond the kernel's range", "lower uid_base or uid_count");

        if ((ulong)providers.Qemu.UidBase + providers.Qemu.UidCount > uint.MaxValue)
            yield return Fault("providers.qemu.uid_count", "the user ids end beyond the kernel's range", "lower uid_base or uid_count");
        if ((ulong)providers.Proot.UidBase + providers.Proot.UidCount > uint.MaxValue)
            yield return Fault("providers.proot.uid_count", "the user ids end beyond the kernel's range", "lower uid_base or uid_count");
        if (providers.Proot.UidBase < (ulong)providers.Bubblewrap.UidBase + providers.Bubblewrap.UidCount && providers.Bubblewrap.UidBase < (ulong)providers.Proot.UidBase + providers.Proot.UidCount)
            yield return Fault("providers.proot.uid_base", "its user ids are also those of bubblewrap", "move one of the two ranges");

        if (options.Auth.ApiKey.Length > 0 && options.Auth.ApiKey == options.Auth.AdminApiKey)
            yield return Fault("auth.admin_api_key", "it is the same as auth.api_key", "give operators a key of their own, or leave it empty");

        if (options.Auth.MetricsToken.Length > 0 && options.Auth.MetricsToken is var token && (token == options.Auth.ApiKey || token == options.Auth.AdminApiKey))
            yield return Fault("auth.metrics_token", "it is the same as a key", "give monitoring a token of its own, or leave it empty");

        string profile = providers.Docker.SeccompProfile;
        if (profile is not ("default" or "unconfined") && !File.Exists(profile))
            yield return Fault("providers.docker.seccomp_profile", $"there is no file {profile}", "use default, unconfined, or the path of a profile");

        ConfigurationFault Fault(string key, string what, string remedy) => new(key, placeOf(key), what, remedy);
    }
}
