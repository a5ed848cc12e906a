namespace StacyVM.Engine.Configuration;

/// <summary>The whole configuration: immutable, validated before anything is built. Keys and defaults are those of the reference.</summary>
internal sealed record StacyOptions
{
    /// <summary>Everything that the server keeps beside the database: sandboxes, agent binary, generated key.</summary>
    public required string DataDir { get; init; }

    public ServerOptions Server { get; init; } = new();

    public AuthOptions Auth { get; init; } = new();

    public DatabaseOptions Database { get; init; } = new();

    public DefaultsOptions Defaults { get; init; } = new();

    public LoggingOptions Logging { get; init; } = new();

    public ProvidersOptions Providers { get; init; } = new();
}

internal sealed record ServerOptions
{
    /// <summary>Listen address. Beyond loopback a key is needed.</summary>
    public string Host { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 7423;

    /// <summary>Domain part of preview URLs.</summary>
    public string PreviewDomain { get; init; } = "localhost";

    /// <summary>Browser origins that may call the API; empty: none but the server's own.</summary>
    public IReadOnlyList<string> CorsAllowedOrigins { get; init; } = [];

    /// <summary>Host names, beside loopback, the listen address and the preview domain, under which the server answers.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Largest JSON body, in bytes.</summary>
    public long MaxJsonBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Largest whole-output exec result per stream, in bytes; more is dropped and said.</summary>
    public long MaxExecOutputBytes { get; init; } = 256L * 1024 * 1024;
}

internal sealed record AuthOptions
{
    /// <summary>The explicit way out: everything open, without a key, also beyond loopback.</summary>
    public bool AllowAnonymous { get; init; }

    public string ApiKey { get; init; } = "";

    public string AdminApiKey { get; init; } = "";

    public bool AdminFallbackEnabled { get; init; } = true;
}

internal sealed record DatabaseOptions
{
    public string Driver { get; init; } = "sqlite";

    /// <summary>Default: <c>stacyvm.db</c> in the data directory.</summary>
    public string Path { get; init; } = "";
}

internal sealed record DefaultsOptions
{
    public TimeSpan Ttl { get; init; } = TimeSpan.FromMinutes(30);

    public string Image { get; init; } = "alpine:latest";

    public int MemoryMb { get; init; } = 1024;

    public int Vcpus { get; init; } = 1;

    public int DiskSizeMb { get; init; } = 1024;

    /// <summary>Zero: none.</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Zero: the maximum applies.</summary>
    public TimeSpan DefaultExecTimeout { get; init; }

    /// <summary>Zero: none.</summary>
    public TimeSpan MaxExecTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Zero: unlimited.</summary>
    public int MaxSandboxes { get; init; }

    /// <summary>Zero: unlimited.</summary>
    public int MaxSandboxesPerOwner { get; init; }
}

internal sealed record LoggingOptions
{
    /// <summary>trace, debug, info, warn, error, fatal, disabled.</summary>
    public string Level { get; init; } = "info";

    /// <summary>json or pretty.</summary>
    public string Format { get; init; } = "json";
}

internal sealed record ProvidersOptions
{
    /// <summary>A name, or <c>auto</c>: the strongest level that works here.</summary>
    public string Default { get; init; } = "auto";

    public MockOptions Mock { get; init; } = new();

    public BubblewrapOptions Bubblewrap { get; init; } = new();

    public DockerOptions Docker { get; init; } = new();
}

internal sealed record MockOptions
{
    public bool Enabled { get; init; }
}

internal sealed record BubblewrapOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Name or path of the program.</summary>
    public string BwrapPath { get; init; } = "bwrap";

    public int PidsLimit { get; init; } = 256;

    /// <summary>First of the host user ids that sandboxes run as when the server is root; each sandbox has its own.</summary>
    public uint UidBase { get; init; } = 2_000_000_000;

    /// <summary>How many ids from <see cref="UidBase"/> on.</summary>
    public uint UidCount { get; init; } = 65_536;
}

internal sealed record DockerOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Empty: <c>DOCKER_HOST</c>, else the platform's default.</summary>
    public string Socket { get; init; } = "";

    public string Runtime { get; init; } = "runc";

    public string DefaultImage { get; init; } = "alpine:latest";

    /// <summary>none, bridge, host or a network's name.</summary>
    public string NetworkMode { get; init; } = "none";

    /// <summary>default, unconfined, or the path of a profile.</summary>
    public string SeccompProfile { get; init; } = "default";

    public bool ReadOnlyRootfs { get; init; }

    public int PidsLimit { get; init; } = 256;

    /// <summary>uid:gid of commands; empty: 1000:1000. Root must be written out as <c>0:0</c>.</summary>
    public string User { get; init; } = "";

    public IReadOnlyList<string> DroppedCaps { get; init; } = ["ALL"];

    public IReadOnlyList<string> AddedCaps { get; init; } = [];

    /// <summary>Path → mount options.</summary>
    public IReadOnlyDictionary<string, string> Tmpfs { get; init; } = new Dictionary<string, string>();
}
