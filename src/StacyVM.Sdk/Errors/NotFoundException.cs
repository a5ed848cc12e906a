using StacyVM.Protocol.Problems;

namespace StacyVM.Sdk;

/// <summary>What was named does not exist: a file, a process, a provider; for sandboxes see <see cref="SandboxNotFoundException"/>.</summary>
public class NotFoundException(ProblemKind kind, string message, string? requestId = null)
    : ServerException(kind, 404, "NOT_FOUND", message, requestId);
