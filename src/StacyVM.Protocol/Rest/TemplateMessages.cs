namespace StacyVM.Protocol.Rest;

/// <summary>
/// Body of <c>POST /templates</c> and <c>PUT /templates/{name}</c>. Two spellings of one thing (<c>vcpus</c> and <c>cpu_cores</c>, <c>ttl</c> and
/// <c>ttl_seconds</c>, <c>setup</c> and <c>init_commands</c>) may both be given when they agree. A PUT replaces what is given and keeps what is not;
/// an empty text, list or object empties the field.
/// </summary>
public sealed record TemplateRequest
{
    /// <summary>
    /// Required by POST; PUT has it in the path. 1 to 128 bytes, parts between slashes not empty and not <c>.</c> or <c>..</c>; no percent sign,
    /// backslash or control character. A slash is written <c>%2F</c> in a path.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Of a new template; default 1. A PUT counts it up by itself.</summary>
    public int? Version { get; init; }

    /// <summary>Required by POST.</summary>
    public string? Image { get; init; }

    /// <summary>At most 4,096 bytes.</summary>
    public string? Description { get; init; }

    /// <summary>Isolation level; empty: the server's default at the time of the spawn.</summary>
    public string? Provider { get; init; }

    /// <summary>MiB; 0 or absent: 512.</summary>
    public int? MemoryMb { get; init; }

    /// <summary>Processors; 0 or absent: 1. The same as <see cref="CpuCores"/>.</summary>
    public int? Vcpus { get; init; }

    /// <summary>The same as <see cref="Vcpus"/>.</summary>
    public int? CpuCores { get; init; }

    /// <summary>Life of the sandboxes, a duration in whole seconds; default <c>5m</c>. The same as <see cref="TtlSeconds"/>.</summary>
    public string? Ttl { get; init; }

    /// <summary>The same as <see cref="Ttl"/>.</summary>
    public int? TtlSeconds { get; init; }

    /// <summary>Shell commands that run in this order before the sandbox is running; at most 64. The first that fails undoes the spawn.</summary>
    public List<string>? Setup { get; init; }

    /// <summary>The same as <see cref="Setup"/>.</summary>
    public List<string>? InitCommands { get; init; }

    /// <summary>Absolute path → text, written before the commands run; at most 64 files, 1 MiB each, 4 MiB together.</summary>
    public Dictionary<string, string>? Files { get; init; }

    /// <summary>Environment of the set-up commands and of every later command. Readable by whoever may read templates: no place for secrets.</summary>
    public Dictionary<string, string>? Env { get; init; }

    /// <summary>Values that are never given back.</summary>
    public List<TemplateSecretRequest>? Secrets { get; init; }

    /// <summary>Hosts that a sandbox may reach: <c>example.com</c>, <c>*.example.com</c>, an address, <c>*</c>, each with an optional port. Stored; not enforced yet.</summary>
    public List<string>? AllowedHosts { get; init; }

    /// <summary>Metadata of the sandboxes; what a spawn names itself wins.</summary>
    public Dictionary<string, string>? Metadata { get; init; }

    /// <summary>Ready sandboxes that wait. Stored; has no effect yet.</summary>
    public int? PoolSize { get; init; }
}

/// <summary>A secret as a client saves it.</summary>
public sealed record TemplateSecretRequest
{
    /// <summary>Letters, digits and underscores; unique in the template.</summary>
    public string? Name { get; init; }

    /// <summary>Absolute path of a file (mode 0600) or name of an environment variable, in the sandbox. Default: a variable of the secret's name.</summary>
    public string? InjectAt { get; init; }

    /// <summary>
    /// At most 32 KiB. Absent in a PUT: the value stored so far. With none stored, the server's own environment variable of the secret's name,
    /// where <c>secrets.allowed_env</c> lists it.
    /// </summary>
    public string? Value { get; init; }

    /// <summary>Without the value.</summary>
    public override string ToString() => $"{Name} at {InjectAt}";
}

/// <summary>A template on the wire. Pairs of spellings are both there.</summary>
public sealed record TemplateInfo
{
    /// <summary>Its name; percent-encoded in paths.</summary>
    public required string Name { get; init; }

    /// <summary>Counts the saves.</summary>
    public required int Version { get; init; }

    /// <summary>Image of its sandboxes.</summary>
    public required string Image { get; init; }

    /// <summary>A sentence for people.</summary>
    public string? Description { get; init; }

    /// <summary>Shell commands that run before a sandbox is running.</summary>
    public IReadOnlyList<string>? Setup { get; init; }

    /// <summary>The same as <see cref="Setup"/>.</summary>
    public IReadOnlyList<string>? InitCommands { get; init; }

    /// <summary>Hosts that a sandbox may reach; stored, not enforced yet.</summary>
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>MiB.</summary>
    public required int MemoryMb { get; init; }

    /// <summary>Processors.</summary>
    public required int CpuCores { get; init; }

    /// <summary>The same as <see cref="CpuCores"/>.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Life of its sandboxes, seconds.</summary>
    public required int TtlSeconds { get; init; }

    /// <summary>The same as <see cref="TtlSeconds"/>, as a duration such as <c>10m0s</c>.</summary>
    public required string Ttl { get; init; }

    /// <summary>Absent: the server's default.</summary>
    public string? Provider { get; init; }

    /// <summary>Environment of every command.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Absolute path → text.</summary>
    public IReadOnlyDictionary<string, string>? Files { get; init; }

    /// <summary>Without values.</summary>
    public IReadOnlyList<TemplateSecretInfo>? Secrets { get; init; }

    /// <summary>Metadata of its sandboxes.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Ready sandboxes that wait; stored, has no effect yet.</summary>
    public required int PoolSize { get; init; }

    /// <summary>When it was first saved.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When it was last saved.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>What a reader has to know: fields that are stored and have no effect in this version, secrets that have no value.</summary>
    public IReadOnlyList<string>? Notes { get; init; }
}

/// <summary>A secret as it is shown: without its value.</summary>
public sealed record TemplateSecretInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Path of a file, or name of an environment variable, in the sandbox.</summary>
    public required string InjectAt { get; init; }
}
