using StacyVM.Protocol.Problems;

namespace StacyVM.Sdk;

/// <summary>The sandbox does not exist, exists no longer, or is not the caller's.</summary>
public sealed class SandboxNotFoundException(string sandboxId, ProblemKind kind, string message, string? requestId = null)
    : NotFoundException(kind, message, requestId)
{
    /// <summary>The id that was asked for.</summary>
    public string SandboxId { get; } = sandboxId;
}
