using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Configuration;

namespace StacyVM.Server.Security;

/// <summary>
/// The keys of this server, as hashes. A presented key is hashed and compared with all of them, each in constant time, so that the time taken
/// tells neither how much of a key was right nor which one it was.
/// </summary>
internal sealed class KeyRing
{
    public const string ClientRole = "api";
    public const string AdminRole = "admin";

    private readonly byte[]? _client;
    private readonly byte[]? _admin;
    private readonly byte[]? _scrape;

    public KeyRing(string clientKey, string adminKey, AuthOptions options)
    {
        _client = clientKey.Length > 0 ? Hash(clientKey) : null;
        _admin = adminKey.Length > 0 ? Hash(adminKey) : null;
        _scrape = options.MetricsToken.Length > 0 ? Hash(options.MetricsToken) : null;
        NeedsKey = !options.AllowAnonymous && (_client is not null || _admin is not null);
        AdminFallback = options.AdminFallbackEnabled && _admin is null;
    }

    /// <summary>False: everyone is let in.</summary>
    public bool NeedsKey { get; }

    public bool HasKeys => _client is not null || _admin is not null;

    public bool HasAdminKey => _admin is not null;

    /// <summary>The client key may do what the admin key would, as there is none.</summary>
    public bool AdminFallback { get; }

    /// <summary>The role that a key gives, or null.</summary>
    public string? RoleOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        bool admin = CryptographicOperations.FixedTimeEquals(hash, _admin ?? []);
        bool client = CryptographicOperations.FixedTimeEquals(hash, _client ?? []);
        return admin ? AdminRole : client ? ClientRole : null;
    }

    /// <summary>True for the token that opens metrics and nothing else.</summary>
    public bool IsScrapeToken(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        return CryptographicOperations.FixedTimeEquals(hash, _scrape ?? []);
    }

    private static byte[] Hash(string key)
    {
        byte[] hash = new byte[SHA256.HashSizeInBytes];
        Hash(key, hash);
        return hash;
    }

    private static void Hash(string key, Span<byte> hash) => SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
}
