namespace StacyVM.Engine.Checks;

/// <summary>What makes a key unfit, without ever repeating it.</summary>
internal static class SecretStrength
{
    /// <summary>Fewer bytes can be guessed.</summary>
    public const int LeastBytes = 32;

    public const string Remedy = "make one with: openssl rand -hex 32";

    private static readonly string[] Placeholders = ["change-me", "changeme", "replace-me"];

    /// <returns>Null when nothing is wrong with it.</returns>
    public static string? FaultOf(string secret)
    {
        if (secret.Length == 0)
            return "not set";
        if (Placeholders.Any(word => secret.Contains(word, StringComparison.OrdinalIgnoreCase)))
            return "still the placeholder of the template";
        int bytes = System.Text.Encoding.UTF8.GetByteCount(secret);
        return bytes < LeastBytes ? $"{bytes} bytes long, and at least {LeastBytes} are needed" : null;
    }
}
