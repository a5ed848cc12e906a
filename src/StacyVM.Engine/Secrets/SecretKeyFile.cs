using System.Security.Cryptography;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Secrets;

/// <summary>The file with the key of <see cref="SecretBox"/>: 64 hexadecimal digits, mode 0600.</summary>
internal static class SecretKeyFile
{
    /// <summary>Its name in the data directory.</summary>
    public const string Name = "secret-key";

    private const int KeyBytes = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/>, with the path and what to do.</exception>
    public static byte[] LoadOrCreate(string path)
    {
        try
        {
            return File.Exists(path) ? Load(path) : Create(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new StacyVMException(
                ProblemKind.Unavailable,
                $"the secret key file {path} cannot be used ({e.Message}); put the file back from a backup, or move it away to start with a new key (secrets stored so far are then lost)",
                e);
        }
    }

    private static byte[] Load(string path)
    {
        byte[] key = Convert.FromHexString(File.ReadAllText(path).Trim());
        if (key.Length != KeyBytes)
            throw new FormatException($"it holds {key.Length} bytes and not {KeyBytes}");
        File.SetUnixFileMode(path, OwnerOnly);
        return key;
    }

    /// <summary>Written under another name and linked: of two that start at once one makes the key, and both use it.</summary>
    private static byte[] Create(string path)
    {
        byte[] key = RandomNumberGenerator.GetBytes(KeyBytes);
        string draft = $"{path}.{Environment.ProcessId}";
        using (var writer = new StreamWriter(draft, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            writer.WriteLine(Convert.ToHexStringLower(key));
        try
        {
            File.Move(draft, path, overwrite: false);
            return key;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
            return Load(path);
        }
    }
}
