using System.Text.Json;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>What is known of a saved machine.</summary>
internal sealed record SavedMachine
{
    /// <summary>What it can only go on with.</summary>
    public required string Compatibility { get; init; }

    /// <summary>What its agent presents until it has another identity.</summary>
    public required string Token { get; init; }

    public required int MemoryMb { get; init; }

    public required int Vcpus { get; init; }

    public required int DiskMb { get; init; }

    /// <summary>Title of its image.</summary>
    public required string Image { get; init; }

    /// <summary>Digest of its image.</summary>
    public required string ImageDigest { get; init; }

    /// <summary>Who its commands are.</summary>
    public required GuestProfile Guest { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <param name="state">Of the machine that is saved.</param>
    /// <param name="compatibility">What it can only go on with.</param>
    /// <param name="token">What its agent presents now.</param>
    public static SavedMachine Of(MachineState state, string compatibility, string token) => new()
    {
        Compatibility = compatibility,
        Token = token,
        MemoryMb = state.MemoryMb,
        Vcpus = state.Vcpus,
        DiskMb = state.DiskMb,
        Image = state.Image,
        ImageDigest = state.ImageDigest,
        Guest = state.Guest,
        CreatedAt = DateTime.UtcNow,
    };
}

/// <summary>What a machine goes on from.</summary>
/// <param name="State">Memory and devices.</param>
/// <param name="Disk">What had been written.</param>
/// <param name="Token">What its agent presents until it has another identity.</param>
internal sealed record SavedFiles(string State, string Disk, string Token);

/// <summary>The directory of a saved machine. It appears whole or not at all.</summary>
/// <param name="path">Where it is, or will be.</param>
internal sealed class SavedFolder(string path)
{
    /// <summary>Names in the directory of every saved machine.</summary>
    public const string StateFile = "state", DiskFile = "disk";

    private const string DraftSuffix = ".draft";

    private string Marker => System.IO.Path.Combine(path, "machine.json");

    public string Path => path;

    public string Draft => path + DraftSuffix;

    /// <summary>Null when it is not there.</summary>
    public SavedFiles? Saved() => Read() is { } machine ? new SavedFiles(System.IO.Path.Combine(path, StateFile), System.IO.Path.Combine(path, DiskFile), machine.Token) : null;

    public string DraftState => System.IO.Path.Combine(Draft, StateFile);

    public string DraftDisk => System.IO.Path.Combine(Draft, DiskFile);

    /// <summary>Id of what lies in a directory of saved machines, half-made ones too.</summary>
    public static string IdOf(string name) => name.EndsWith(DraftSuffix, StringComparison.Ordinal) ? name[..^DraftSuffix.Length] : name;

    /// <summary>Null when it is not there, or not whole.</summary>
    public SavedMachine? Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Marker), MachineJson.Default.SavedMachine);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>A new draft, for the server's user alone: the memory of a machine has its secrets in it.</summary>
    public void Begin()
    {
        TreeRemoval.Remove(Draft);
        Directory.CreateDirectory(Draft, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The draft is complete.</summary>
    /// <returns>Bytes that it takes.</returns>
    public long Complete(SavedMachine machine)
    {
        File.WriteAllBytes(System.IO.Path.Combine(Draft, "machine.json"), JsonSerializer.SerializeToUtf8Bytes(machine, MachineJson.Default.SavedMachine));
        Retire();
        if (Libc.Rename(Draft, path) != 0)
            throw new IOException($"cannot rename {Draft}: {Libc.LastError()}", Libc.Error);
        return TreeUsage.Measure(path, long.MaxValue).Bytes;
    }

    public void Remove()
    {
        TreeRemoval.Remove(Draft);
        Retire();
    }

    /// <summary>What is half removed is no whole one any more.</summary>
    private void Retire()
    {
        if (File.Exists(Marker))
            File.Delete(Marker);
        TreeRemoval.Remove(path);
    }
}
