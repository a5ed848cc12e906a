namespace StacyVM.Cli;

/// <summary>The key that a server makes for itself at its first start, for those who may read its data directory.</summary>
internal static class KeyFile
{
    private const string SystemDirectory = "/var/lib/stacyvm";

    /// <summary>The key, or null when there is none that this user may read.</summary>
    /// <param name="dataDirectory">The one directory to look in; null: where servers of this machine keep their data by default.</param>
    public static string? Find(string? dataDirectory)
    {
        string? named = dataDirectory ?? Environment.GetEnvironmentVariable("STACYVM_DATA_DIR");
        string[] places = string.IsNullOrWhiteSpace(named) ? [UserDirectory(), SystemDirectory] : [named];
        foreach (string place in places)
        {
            try
            {
                string key = File.ReadAllText(Path.Combine(place, "api-key")).Trim();
                if (key.Length > 0)
                    return key;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Not there, or not ours: a server that wants a key will say so.
            }
        }
        return null;
    }

    private static string UserDirectory()
    {
        string? data = Environment.GetEnvironmentVariable("XDG_DATA_HOME");
        return string.IsNullOrEmpty(data)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/share/stacyvm")
            : Path.Combine(data, "stacyvm");
    }
}
