using System.Text.Json;
using System.Text.Json.Serialization;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>What is kept of a sandbox: as <c>proot.json</c> in its directory before it starts, which marks the directory as ours, and in its handle.</summary>
internal sealed record ProotState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Host user and group that it runs as.</summary>
    public required uint UserId { get; init; }

    /// <summary>What its agent presents.</summary>
    public required string Token { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required int MemoryMb { get; init; }

    /// <summary>What its root is made of.</summary>
    public required string Image { get; init; }

    /// <summary>Boot of the kernel in which it was started.</summary>
    public required string BootId { get; init; }

    /// <summary>Its agent; 0 while that is not known.</summary>
    public int Pid { get; init; }

    /// <inheritdoc cref="ProcessIdentity.StartTicks"/>
    public ulong StartTicks { get; init; }

    [JsonIgnore]
    public ProcessIdentity Process => BootId == ProcessIdentity.BootId ? new ProcessIdentity(Pid, StartTicks) : default;

    public ProotState With(ProcessIdentity process) => this with { Pid = process.Pid, StartTicks = process.StartTicks };

    public SandboxHandle ToHandle() => new(Version, JsonSerializer.Serialize(this, ProotJson.Default.ProotState));

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ProotJson.Default.ProotState);

    /// <summary>Null for what a server that died has half written, and for another version.</summary>
    public static ProotState? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ProotJson.Default.ProotState) is { Version: CurrentVersion } state ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProotState))]
internal sealed partial class ProotJson : JsonSerializerContext;
