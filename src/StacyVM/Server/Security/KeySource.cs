using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server.Security;

/// <summary>Which keys are in force: those of the configuration; beyond loopback without one, the generated key; otherwise none.</summary>
internal static partial class KeySource
{
    /// <returns>The keys, and the generated key's file when it is the one in force.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/> when the key file cannot be read or written.</exception>
    public static (KeyRing Keys, string? File) Load(StacyOptions options, ILoggerFactory loggers)
    {
        AuthOptions auth = options.Auth;
        bool configured = auth.ApiKey.Length > 0 || auth.AdminApiKey.Length > 0;
        ILogger logger = loggers.CreateLogger("StacyVM.Server.Security");
        if (configured || auth.AllowAnonymous || ListenAddress.IsLoopback(options.Server.Host))
        {
            if (auth.AllowAnonymous && !ListenAddress.IsLoopback(options.Server.Host))
                Open(logger, options.Server.Host);
            return (new KeyRing(auth.ApiKey, auth.AdminApiKey, auth), null);
        }
        string path = ApiKeyFile.PathIn(options.DataDir);
        try
        {
            (string key, bool made) = ApiKeyFile.LoadOrCreate(options.DataDir);
            if (made)
                Made(logger, path);
            return (new KeyRing(key, "", auth), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StacyVMException(
                ProblemKind.Unavailable, $"the key file {path} cannot be used ({e.Message}); set auth.api_key, or make the data directory writable", e);
        }
    }

    [LoggerMessage(EventName = "auth.key_made", Level = LogLevel.Information, Message = "an API key was made, as the server listens beyond loopback: {Path}")]
    private static partial void Made(ILogger logger, string path);

    [LoggerMessage(EventName = "auth.open", Level = LogLevel.Warning, Message = "auth.allow_anonymous: whoever reaches {Host} may run code here")]
    private static partial void Open(ILogger logger, string host);
}
