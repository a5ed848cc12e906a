using System.Text.Json;
using System.Text.Json.Serialization;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// What is kept of a sandbox: as <c>sandbox.json</c> in its directory before it starts, which marks the directory as ours, and in its handle
/// with its processes once it runs.
/// </summary>
internal sealed record BubblewrapState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Host user and group that it runs as.</summary>
    public required uint UserId { get; init; }

    /// <summary>What its agent presents.</summary>
    public required string Token { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required int MemoryMb { get; init; }

    /// <summary>What its workspace may hold; 0: not bounded.</summary>
    public int DiskMb { get; init; }

    /// <summary>What its root is made of.</summary>
    public string Image { get; init; } = HostImage.Name;

    /// <summary>Boot of the kernel in which it was started: none of its processes lives in another.</summary>
    public required string BootId { get; init; }

    /// <summary>Its first process: the agent, with whose end everything in the sandbox ends. 0 while it is not known.</summary>
    public int Pid { get; init; }

    /// <inheritdoc cref="ProcessIdentity.StartTicks"/>
    public ulong StartTicks { get; init; }

    [JsonIgnore]
    public ProcessIdentity Process => BootId == ProcessIdentity.BootId ? new ProcessIdentity(Pid, StartTicks) : default;

    public BubblewrapState With(ProcessIdentity process) => this with { Pid = process.Pid, StartTicks = process.StartTicks };

    public SandboxHandle ToHandle() => new(Version, JsonSerializer.Serialize(this, BubblewrapJson.Default.BubblewrapState));

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, BubblewrapJson.Default.BubblewrapState);

    /// <exception cref="InvalidDataException">It was written by a later version, or by nobody.</exception>
    public static BubblewrapState Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, BubblewrapJson.Default.BubblewrapState) is { Version: CurrentVersion } state)
                return state;
        }
        catch (JsonException cause)
        {
            throw new InvalidDataException("the stored handle of a bubblewrap sandbox cannot be read", cause);
        }
        throw new InvalidDataException($"the stored handle of a bubblewrap sandbox is not of version {CurrentVersion}");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BubblewrapState))]
internal sealed partial class BubblewrapJson : JsonSerializerContext;
