namespace StacyVM.Protocol.Problems;

/// <summary>Everything that can go wrong, as seen from outside. The rows of <see cref="Problem.Table"/>.</summary>
public enum ProblemKind
{
    InvalidInput,
    Unauthorized,
    Forbidden,
    MisdirectedRequest,
    SandboxNotFound,
    SandboxDestroyed,
    ProviderNotFound,
    NotFound,
    MethodNotAllowed,
    ExecTimeout,
    Conflict,
    PayloadTooLarge,
    ResourceLimit,
    RateLimited,
    Internal,
    Unsupported,
    ProviderUnavailable,
    Unavailable,
    SandboxGone,
    StorageFull,
}
