using System.Text.Json;
using System.Text.Json.Serialization;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>
/// What is kept of a sandbox: as <c>gvisor.json</c> in its directory before it starts, which marks the directory as this level's, and in its
/// handle with its process once it runs.
/// </summary>
internal sealed record GvisorState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>What its agent presents.</summary>
    public required string Token { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required int MemoryMb { get; init; }

    /// <summary>What its workspace and its changes of the root may hold; 0: not bounded.</summary>
    public int DiskMb { get; init; }

    /// <summary>What its root is made of.</summary>
    public string Image { get; init; } = HostImage.Name;

    /// <summary>Whom its agent runs as inside. Files that it writes are this user's on the host, too, below a directory that only root may enter.</summary>
    public uint UserId { get; init; } = HostImage.SandboxUser;

    /// <summary>Boot of the kernel in which it was started: none of its processes lives in another.</summary>
    public required string BootId { get; init; }

    /// <summary>The process that is the sandbox's kernel, with whose end everything in the sandbox ends. 0 while it is not known.</summary>
    public int Pid { get; init; }

    /// <inheritdoc cref="ProcessIdentity.StartTicks"/>
    public ulong StartTicks { get; init; }

    [JsonIgnore]
    public ProcessIdentity Process => BootId == ProcessIdentity.BootId ? new ProcessIdentity(Pid, StartTicks) : default;

    public GvisorState With(ProcessIdentity process) => this with { Pid = process.Pid, StartTicks = process.StartTicks };

    public SandboxHandle ToHandle() => new(Version, JsonSerializer.Serialize(this, GvisorJson.Default.GvisorState));

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, GvisorJson.Default.GvisorState);

    /// <exception cref="InvalidDataException">It was written by a later version, or by nobody.</exception>
    public static GvisorState Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, GvisorJson.Default.GvisorState) is { Version: CurrentVersion } state)
                return state;
        }
        catch (JsonException cause)
        {
            throw new InvalidDataException("the stored handle of a gVisor sandbox cannot be read", cause);
        }
        throw new InvalidDataException($"the stored handle of a gVisor sandbox is not of version {CurrentVersion}");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GvisorState))]
internal sealed partial class GvisorJson : JsonSerializerContext;
