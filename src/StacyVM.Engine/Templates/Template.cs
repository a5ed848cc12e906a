using StacyVM.Protocol;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Templates;

/// <summary>A recipe for sandboxes, as it is kept. Immutable: a save is a new one.</summary>
internal sealed record Template
{
    public required string Name { get; init; }

    /// <summary>Counts the saves.</summary>
    public required int Version { get; init; }

    public required string Image { get; init; }

    public string Description { get; init; } = "";

    /// <summary>Empty: the default at the time of a spawn.</summary>
    public string Provider { get; init; } = "";

    public required int MemoryMb { get; init; }

    public required int CpuCores { get; init; }

    public required int TtlSeconds { get; init; }

    /// <summary>Shell commands, in the order of their running.</summary>
    public IReadOnlyList<string> Setup { get; init; } = [];

    /// <summary>Path → text.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<TemplateSecret> Secrets { get; init; } = [];

    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public int PoolSize { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>As clients see it: both spellings of what has two, empty fields left out, secrets without their values.</summary>
    /// <param name="notes">What a reader has to know.</param>
    public TemplateInfo ToInfo(IReadOnlyList<string> notes) => new()
    {
        Name = Name,
        Version = Version,
        Image = Image,
        Description = Description.Length == 0 ? null : Description,
        Setup = Setup.Count == 0 ? null : Setup,
        InitCommands = Setup.Count == 0 ? null : Setup,
        AllowedHosts = AllowedHosts.Count == 0 ? null : AllowedHosts,
        MemoryMb = MemoryMb,
        CpuCores = CpuCores,
        Vcpus = CpuCores,
        TtlSeconds = TtlSeconds,
        Ttl = GoDuration.Format(TimeSpan.FromSeconds(TtlSeconds)),
        Provider = Provider.Length == 0 ? null : Provider,
        Env = Env.Count == 0 ? null : Env,
        Files = Files.Count == 0 ? null : Files,
        Secrets = Secrets.Count == 0 ? null : [.. Secrets.Select(secret => new TemplateSecretInfo { Name = secret.Name, InjectAt = secret.InjectAt })],
        Metadata = Metadata.Count == 0 ? null : Metadata,
        PoolSize = PoolSize,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
        Notes = notes.Count == 0 ? null : notes,
    };
}
