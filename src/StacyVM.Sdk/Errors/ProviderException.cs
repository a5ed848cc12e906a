using StacyVM.Protocol.Problems;

namespace StacyVM.Sdk;

/// <summary>The server or the isolation level behind it failed: any status from 500 on.</summary>
public sealed class ProviderException(ProblemKind kind, int status, string code, string message, string? requestId = null)
    : ServerException(kind, status, code, message, requestId);
