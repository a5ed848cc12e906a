using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Checkpoints;

/// <summary>What a checkpoint may be called: short, and safe in a path, a URL and a terminal.</summary>
internal static class CheckpointName
{
    private const int MaxLength = 63;

    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static string Check(string? name)
    {
        if (string.IsNullOrEmpty(name))
            throw new StacyVMException(ProblemKind.InvalidInput, "name is required");
        if (name.Length > MaxLength || !char.IsAsciiLetterOrDigit(name[0]) || name.AsSpan().ContainsAnyExcept(Allowed))
            throw new StacyVMException(
                ProblemKind.InvalidInput, $"name \"{SpawnValidation.Shown(name)}\" must have 1 to {MaxLength} letters, digits and . _ -, beginning with a letter or digit");
        return name;
    }
}
