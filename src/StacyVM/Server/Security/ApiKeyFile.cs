using System.Security.Cryptography;

namespace StacyVM.Server.Security;

/// <summary>
/// The key that is made when the server listens beyond loopback and none is configured: <c>api-key</c> in the data directory, readable by its
/// owner alone. The command line on the same machine finds it there by itself.
/// </summary>
internal static class ApiKeyFile
{
    public const string Name = "api-key";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, Name);

    /// <summary>Reads the key, or makes one at the first start.</summary>
    /// <returns>The key and whether it is new.</returns>
    public static (string Key, bool Made) LoadOrCreate(string dataDirectory)
    {
        Directory.CreateDirectory(dataDirectory);
        string path = PathIn(dataDirectory);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } present)
        {
            File.SetUnixFileMode(path, OwnerOnly);
            return (present, false);
        }
        string key = "stacyvm_" + RandomNumberGenerator.GetHexString(48, lowercase: true);
        // Written under another name and renamed: a reader finds the whole key or none.
        string draft = $"{path}.{Environment.ProcessId}";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        using (var writer = new StreamWriter(draft, options))
            writer.WriteLine(key);
        File.Move(draft, path, overwrite: true);
        return (key, true);
    }
}
