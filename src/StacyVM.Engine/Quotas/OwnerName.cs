using System.Text;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Quotas;

/// <summary>What names an owner may have.</summary>
internal static class OwnerName
{
    private const int MaxBytes = 128;

    /// <summary>The name without white space around it; empty for none.</summary>
    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static string Check(string? text)
    {
        string owner = text?.Trim() ?? "";
        if (Encoding.UTF8.GetByteCount(owner) > MaxBytes)
            throw new StacyVMException(ProblemKind.InvalidInput, $"owner_id is longer than {MaxBytes} bytes");
        foreach (char c in owner)
        {
            if (c is '/' or '\\' || char.IsWhiteSpace(c) || char.IsControl(c))
                throw new StacyVMException(ProblemKind.InvalidInput, $"owner_id \"{Shown(owner)}\" must not contain slashes, backslashes, white space or control characters");
        }
        return owner;
    }

    /// <summary>As <see cref="Check"/>, where there has to be one.</summary>
    public static string Required(string? text) =>
        Check(text) is { Length: > 0 } owner ? owner : throw new StacyVMException(ProblemKind.InvalidInput, "owner_id is required");

    /// <summary>For messages: no control characters, no endless text.</summary>
    private static string Shown(string text) =>
        new([.. (text.Length <= 64 ? text : text[..64] + "…").Select(c => char.IsControl(c) ? '?' : c)]);
}
