using System.Collections.Frozen;

namespace StacyVM.Protocol.Problems;

/// <summary>One row of the closed table of problems. HTTP status, wire code, CLI exit code and reference page all come from here.</summary>
/// <param name="Kind">Its name inside the program.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">The <c>code</c> of the error envelope.</param>
/// <param name="ExitCode">What the command line exits with.</param>
/// <param name="Title">First words of the message, before the detail; empty when the detail stands alone.</param>
/// <param name="Meaning">One line for the reference.</param>
public sealed record Problem(ProblemKind Kind, int Status, string Code, int ExitCode, string Title, string Meaning)
{
    /// <summary>All rows.</summary>
    public static readonly IReadOnlyList<Problem> Table =
    [
        new(ProblemKind.InvalidInput, 400, "BAD_REQUEST", 2, "invalid input", "The request is malformed or a value is out of bounds."),
        new(ProblemKind.Unauthorized, 401, "UNAUTHORIZED", 3, "", "No key, or a wrong one."),
        new(ProblemKind.Forbidden, 403, "FORBIDDEN", 3, "", "The caller is known and may not do this."),
        new(ProblemKind.MisdirectedRequest, 421, "FORBIDDEN", 3, "", "The Host header names a server that this is not."),
        new(ProblemKind.SandboxNotFound, 404, "NOT_FOUND", 4, "sandbox not found", "There is no such sandbox, or it is not the caller's."),
        new(ProblemKind.SandboxDestroyed, 404, "NOT_FOUND", 4, "sandbox destroyed", "The sandbox has been destroyed."),
        new(ProblemKind.ProviderNotFound, 404, "NOT_FOUND", 4, "provider not found", "No provider of that name is configured."),
        new(ProblemKind.NotFound, 404, "NOT_FOUND", 4, "not found", "The thing that was named does not exist."),
        new(ProblemKind.MethodNotAllowed, 405, "BAD_REQUEST", 2, "method not allowed", "The path exists, the method does not."),
        new(ProblemKind.ExecTimeout, 408, "TIMEOUT", 124, "exec timeout", "The command did not end in its time and was killed with all its children."),
        new(ProblemKind.Conflict, 409, "CONFLICT", 5, "conflict", "The state of the thing does not allow it, or the name is taken."),
        new(ProblemKind.PayloadTooLarge, 413, "BAD_REQUEST", 2, "payload too large", "The body is larger than this route takes."),
        new(ProblemKind.ResourceLimit, 429, "RESOURCE_LIMIT", 6, "resource limit exceeded", "A quota, a capacity or a maximum is reached."),
        new(ProblemKind.RateLimited, 429, "RESOURCE_LIMIT", 6, "rate limit exceeded", "Too many requests; Retry-After says when to come back."),
        new(ProblemKind.Internal, 500, "INTERNAL_ERROR", 1, "internal error", "A fault of the server; the log has the request id."),
        new(ProblemKind.Unsupported, 501, "UNSUPPORTED", 1, "not supported", "This provider or this host cannot do it."),
        new(ProblemKind.ProviderUnavailable, 503, "UNAVAILABLE", 7, "provider unavailable", "The provider exists and cannot work now."),
        new(ProblemKind.Unavailable, 503, "UNAVAILABLE", 7, "unavailable", "A part of the server cannot work now."),
        new(ProblemKind.SandboxGone, 503, "UNAVAILABLE", 7, "sandbox gone", "The sandbox ended, or its agent cannot be reached, while it was in use."),
        new(ProblemKind.StorageFull, 507, "RESOURCE_LIMIT", 6, "no space left", "The disk, of the sandbox or of the server, is full."),
    ];

    private static readonly FrozenDictionary<ProblemKind, Problem> ByKind = Table.ToFrozenDictionary(row => row.Kind);

    /// <summary>The row of a kind.</summary>
    public static Problem Of(ProblemKind kind) => ByKind[kind];
}
