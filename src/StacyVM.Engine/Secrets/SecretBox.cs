using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Secrets;

/// <summary>
/// Seals secrets before they reach the store: AES-256-GCM with a key that lives in a file of its own, so that neither the database nor a backup of
/// it gives a secret away. Each sealed text is bound to the place it was made for and opens nowhere else. Safe for many threads.
/// </summary>
internal sealed class SecretBox
{
    private const string Version = "v1.";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[] _key;

    private SecretBox(byte[] key) => _key = key;

    /// <summary>Takes the key from its file, or makes it at the first start.</summary>
    /// <param name="path">The key file; readable by its owner alone.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/> when the file cannot be read or written, or holds no key.</exception>
    public static SecretBox Open(string path) => new(SecretKeyFile.LoadOrCreate(path));

    /// <summary>Seals a text.</summary>
    /// <param name="text">The secret.</param>
    /// <param name="place">Where it belongs, e.g. <c>template/a/TOKEN</c>; the same text opens it.</param>
    public string Seal(string text, string place)
    {
        byte[] plain = Encoding.UTF8.GetBytes(text);
        byte[] sealedBytes = new byte[NonceBytes + plain.Length + TagBytes];
        Span<byte> nonce = sealedBytes.AsSpan(0, NonceBytes);
        // Random nonces of 96 bits are safe for 2^32 secrets under one key, far more than a server ever keeps.
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(_key, TagBytes);
        cipher.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes, plain.Length), sealedBytes.AsSpan(NonceBytes + plain.Length), Encoding.UTF8.GetBytes(place));
        CryptographicOperations.ZeroMemory(plain);
        return Version + Base64Url.EncodeToString(sealedBytes);
    }

    /// <summary>Opens what <see cref="Seal"/> made for the same place.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/>: sealed with another key, for another place, or damaged.</exception>
    public string Unseal(string text, string place)
    {
        try
        {
            if (!text.StartsWith(Version, StringComparison.Ordinal))
                throw new FormatException("it does not begin as a sealed secret does");
            byte[] bytes = Base64Url.DecodeFromChars(text.AsSpan(Version.Length));
            if (bytes.Length < NonceBytes + TagBytes)
                throw new FormatException("it is cut short");
            int length = bytes.Length - NonceBytes - TagBytes;
            byte[] plain = new byte[length];
            using var cipher = new AesGcm(_key, TagBytes);
            cipher.Decrypt(bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes, length), bytes.AsSpan(NonceBytes + length), plain, Encoding.UTF8.GetBytes(place));
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new StacyVMException(
                ProblemKind.Unavailable, $"the secret of {place} cannot be opened: it was sealed with another key file, or is damaged; store it anew", e);
        }
    }
}
