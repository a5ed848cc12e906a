using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using StacyVM.Sdk;

namespace StacyVM.Cli;

/// <summary>Options of every command, and what follows from them.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Server = new("--server")
    {
        Description = $"Address of the server [default: $STACYVM_SERVER, else {StacyClientOptions.DefaultBaseUrl}]",
        HelpName = "url",
        Recursive = true,
    };

    public static readonly Option<string?> ApiKey = new("--api-key")
    {
        Description = "Key for the server [default: $STACYVM_API_KEY, else the key that this machine's server made]",
        HelpName = "key",
        Recursive = true,
    };

    public static readonly Option<string?> ApiKeyFile = new("--api-key-file")
    {
        Description = "File with the key for the server: unlike --api-key, other users of this machine cannot see it",
        HelpName = "file",
        Recursive = true,
    };

    public static readonly Option<string?> AdminApiKey = new("--admin-api-key")
    {
        Description = "Key for the admin area of the server [default: $STACYVM_ADMIN_API_KEY]",
        HelpName = "key",
        Recursive = true,
    };

    public static readonly Option<string?> User = new("--user")
    {
        Description = "On whose behalf, as X-User-ID [default: $STACYVM_USER_ID]",
        HelpName = "user id",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Print results as JSON", Recursive = true };

    public static readonly Option<string?> Config = new("--config")
    {
        Description = "Configuration file [default: $STACYVM_CONFIG, else ./stacyvm.yaml, else ~/.stacyvm/config.yaml]",
        HelpName = "file",
        Recursive = true,
    };

    public static readonly Option<string?> DataDir = new("--data-dir")
    {
        Description = "Where the server of this machine keeps its data [default: $STACYVM_DATA_DIR, else /var/lib/stacyvm for root, ~/.local/share/stacyvm for others]",
        HelpName = "directory",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        foreach (Option option in (Option[])[Server, ApiKey, ApiKeyFile, AdminApiKey, User, Json, Config, DataDir])
            root.Options.Add(option);
    }

    public static string ServerOf(ParseResult parsed) =>
        FirstSet(parsed.GetValue(Server), Environment.GetEnvironmentVariable("STACYVM_SERVER")) ?? StacyClientOptions.DefaultBaseUrl;

    /// <summary>A client of the server that the options name.</summary>
    public static StacyClient ClientOf(ParseResult parsed)
    {
        string server = ServerOf(parsed);
        string? key = KeyOf(parsed);
        // The machine's own key is for the machine's own server: it never goes to another host.
        if (key is null && IsThisMachine(server))
            key = KeyFile.Find(parsed.GetValue(DataDir));
        try
        {
            return new StacyClient(new StacyClientOptions
            {
                BaseUrl = server,
                ApiKey = key,
                AdminApiKey = FirstSet(parsed.GetValue(AdminApiKey), Environment.GetEnvironmentVariable("STACYVM_ADMIN_API_KEY")),
                UserId = FirstSet(parsed.GetValue(User), Environment.GetEnvironmentVariable("STACYVM_USER_ID")),
            });
        }
        catch (ArgumentException fault)
        {
            throw new UsageException(fault.Message.Split(" (Parameter")[0]);
        }
    }

    /// <summary>The key that was named by an option or by the environment; null when none was.</summary>
    /// <exception cref="UsageException">Two were named, or the file cannot be read.</exception>
    public static string? KeyOf(ParseResult parsed)
    {
        if (parsed.GetValue(ApiKeyFile) is not { } file)
            return FirstSet(parsed.GetValue(ApiKey), Environment.GetEnvironmentVariable("STACYVM_API_KEY"));
        if (parsed.GetValue(ApiKey) is not null)
            throw new UsageException("--api-key and --api-key-file cannot both be given");
        try
        {
            string key = File.ReadAllText(file).Trim();
            return key.Length > 0 ? key : throw new UsageException($"the key file {file} is empty");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"the key file {file} cannot be read: {fault.Message}");
        }
    }

    internal static bool IsThisMachine(string server)
    {
        if (server.StartsWith("unix://", StringComparison.OrdinalIgnoreCase))
            return true;
        string full = server.Contains("://", StringComparison.Ordinal) ? server : "http://" + server;
        return Uri.TryCreate(full, UriKind.Absolute, out Uri? uri)
            && (uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address)));
    }

    private static string? FirstSet(params ReadOnlySpan<string?> values)
    {
        foreach (string? value in values)
        {
            if (!string.IsNullOrWhiteSpace(value))
                return value.Trim();
        }
        return null;
    }
}
