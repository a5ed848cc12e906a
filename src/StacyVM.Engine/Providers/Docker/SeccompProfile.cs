namespace StacyVM.Engine.Providers.Docker;

/// <summary>The profile as the API wants it: its text, not its path.</summary>
internal static class SeccompProfile
{
    /// <exception cref="FormatException">The file cannot be read.</exception>
    public static string Read(string option)
    {
        if (option is "" or "default")
            return HardenedSeccomp.Json;
        if (option == "unconfined")
            return option;
        try
        {
            return File.ReadAllText(option);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"providers.docker.seccomp_profile: {e.Message}", e);
        }
    }
}
