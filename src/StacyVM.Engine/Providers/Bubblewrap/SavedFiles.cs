using System.Text.Json;
using System.Text.Json.Serialization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// The checkpoints of this level: a copy of a sandbox's workspace and, where it runs from an image, of what it has changed of that image, whose layers are
/// shared and kept by a mark.
/// </summary>
internal sealed class SavedFiles(AgentHost host, string provider)
{
    private const string Workspace = "workspace", Upper = "upper";
    private const long Mebibyte = 1024 * 1024;

    /// <summary>What a sandbox may hold before it is ended; nothing that lives holds more.</summary>
    private static long MostOf(int diskMb) => diskMb > 0 ? 2 * diskMb * Mebibyte : long.MaxValue;

    /// <summary>Saves a sandbox that stands still.</summary>
    /// <returns>Bytes that it takes.</returns>
    public long Save(string id, string checkpoint, SandboxFolder folder, BubblewrapState state, bool privileged, CancellationToken cancellation)
    {
        var saved = new CheckpointFolder(host, provider, checkpoint);
        try
        {
            saved.Begin();
            var rules = new TreeCopyRules(null, privileged, MostOf(state.DiskMb));
            long bytes = TreeCopy.Copy(folder.Workspace, Path.Combine(saved.Draft, Workspace), rules, cancellation);
            string use = Path.Combine(folder.Path, ImageStore.UseFile);
            string? image = null;
            if (File.Exists(use))
            {
                // The sandbox has the same mark until it is removed, which waits its turn: the image is in use all the time.
                image = File.ReadAllText(use).Trim();
                File.WriteAllText(Path.Combine(saved.Draft, ImageStore.UseFile), image);
                bytes += TreeCopy.Copy(folder.Upper, Path.Combine(saved.Draft, Upper), rules with { Most = rules.Most - bytes }, cancellation);
            }
            saved.Commit(new SavedState { Image = image, From = id, Bytes = bytes, SavedAt = DateTime.UtcNow }.ToBytes());
            return bytes;
        }
        catch (Exception failure)
        {
            saved.Remove();
            throw Explain(failure, $"sandbox {id} cannot be saved");
        }
    }

    /// <exception cref="StacyVMException"><see cref="ProblemKind.NotFound"/>; <see cref="ProblemKind.InvalidInput"/> when it does not fit.</exception>
    public SavedState Read(string checkpoint, SandboxSpec spec)
    {
        var saved = new CheckpointFolder(host, provider, checkpoint);
        if (!saved.Exists)
            throw new StacyVMException(ProblemKind.NotFound, $"the files of checkpoint {checkpoint} are not there");
        SavedState state = SavedState.Parse(saved.ReadMarker());
        if (state.Bytes > MostOf(spec.DiskMb))
            throw new StacyVMException(ProblemKind.InvalidInput, $"checkpoint {checkpoint} holds {state.Bytes / Mebibyte} MiB, more than a sandbox with {spec.DiskMb} MiB of disk may");
        return state;
    }

    /// <summary>Fills the directories of a new sandbox, whose user owns everything in it.</summary>
    public void Restore(string checkpoint, SandboxFolder folder, uint owner, bool privileged, CancellationToken cancellation)
    {
        var saved = new CheckpointFolder(host, provider, checkpoint);
        var rules = new TreeCopyRules(owner, privileged, long.MaxValue);
        if (Libc.RemoveDirectory(folder.Workspace) != 0)
            throw new IOException($"cannot replace {folder.Workspace}: {Libc.LastError()}", Libc.Error);
        try
        {
            TreeCopy.Copy(Path.Combine(saved.Path, Workspace), folder.Workspace, rules, cancellation);
            if (Directory.Exists(Path.Combine(saved.Path, Upper)))
                TreeCopy.Copy(Path.Combine(saved.Path, Upper), folder.Upper, rules, cancellation);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw Explain(failure, $"checkpoint {checkpoint} cannot be restored");
        }
    }

    public IReadOnlyList<string> List() => CheckpointFolder.List(host, provider);

    public void Remove(string checkpoint) => new CheckpointFolder(host, provider, checkpoint).Remove();

    private static Exception Explain(Exception failure, string what) => failure switch
    {
        InvalidDataException => new StacyVMException(ProblemKind.Conflict, $"{what}: {failure.Message}", failure),
        IOException { HResult: Libc.ENOSPC or Libc.EDQUOT } => new StacyVMException(ProblemKind.StorageFull, $"{what}: {failure.Message}", failure),
        IOException => new StacyVMException(ProblemKind.ProviderUnavailable, $"{what}: {failure.Message}", failure),
        _ => failure,
    };
}

/// <summary>What is noted with saved files.</summary>
internal sealed record SavedState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Digest of the image; null for the host's own programs.</summary>
    public string? Image { get; init; }

    /// <summary>Which sandbox it was.</summary>
    public required string From { get; init; }

    public required long Bytes { get; init; }

    public required DateTime SavedAt { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, SavedStateJson.Default.SavedState);

    /// <exception cref="StacyVMException"><see cref="ProblemKind.Conflict"/>: it was written by a later version, or by nobody.</exception>
    public static SavedState Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, SavedStateJson.Default.SavedState) is { Version: CurrentVersion } state)
                return state;
        }
        catch (JsonException)
        {
            // As one of another version.
        }
        throw new StacyVMException(ProblemKind.Conflict, $"the checkpoint is not of version {CurrentVersion}");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SavedState))]
internal sealed partial class SavedStateJson : JsonSerializerContext;
