using System.Text.Json;
using System.Text.Json.Serialization;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>What is kept of a machine: in its directory before it starts, which marks the directory as ours, and in its handle.</summary>
internal sealed record MachineState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Which monitor runs it.</summary>
    public required string Monitor { get; init; }

    /// <summary>Host user that the monitor's process runs as.</summary>
    public required uint UserId { get; init; }

    /// <summary>What its agent presents.</summary>
    public required string Token { get; init; }

    public required DateTime CreatedAt { get; init; }

    public required int MemoryMb { get; init; }

    public required int Vcpus { get; init; }

    public required int DiskMb { get; init; }

    /// <summary>Title of its image.</summary>
    public required string Image { get; init; }

    /// <summary>Digest of its image.</summary>
    public required string ImageDigest { get; init; }

    /// <summary>Who its commands are.</summary>
    public required GuestProfile Guest { get; init; }

    /// <summary>Boot of the host's kernel in which it was started.</summary>
    public required string BootId { get; init; }

    /// <summary>The monitor's process; 0 while it is not known.</summary>
    public int Pid { get; init; }

    /// <inheritdoc cref="ProcessIdentity.StartTicks"/>
    public ulong StartTicks { get; init; }

    [JsonIgnore]
    public ProcessIdentity Process => BootId == ProcessIdentity.BootId ? new ProcessIdentity(Pid, StartTicks) : default;

    public MachineState With(ProcessIdentity process) => this with { Pid = process.Pid, StartTicks = process.StartTicks };

    public SandboxHandle ToHandle() => new(Version, JsonSerializer.Serialize(this, MachineJson.Default.MachineState));

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, MachineJson.Default.MachineState);

    /// <summary>Null for what is none.</summary>
    public static MachineState? TryParse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, MachineJson.Default.MachineState) is { Version: CurrentVersion } state ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Who commands are in a machine, as its image says.</summary>
internal sealed record GuestProfile(uint User, uint Group, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MachineState))]
[JsonSerializable(typeof(SavedMachine))]
internal sealed partial class MachineJson : JsonSerializerContext;
