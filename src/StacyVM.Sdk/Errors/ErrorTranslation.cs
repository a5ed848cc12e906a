using StacyVM.Protocol.Problems;

namespace StacyVM.Sdk;

/// <summary>From what the server said to the exception that callers can tell apart by type.</summary>
internal static class ErrorTranslation
{
    /// <param name="status">HTTP status, or 0 for an error within a stream.</param>
    /// <param name="code">Code of the envelope; empty when there was none.</param>
    /// <param name="message">The server's text.</param>
    /// <param name="sandboxId">The sandbox that the call was about.</param>
    /// <param name="requestId">For the log.</param>
    public static ServerException ToException(int status, string code, string message, string? sandboxId, string? requestId)
    {
        ProblemKind kind = KindOf(status, code, message);
        Problem row = Problem.Of(kind);
        if (status == 0)
            status = row.Status;
        if (code.Length == 0)
            code = row.Code;
        if (message.Length == 0)
            message = row.Title.Length > 0 ? row.Title : row.Meaning;
        return status switch
        {
            404 when kind is ProblemKind.SandboxNotFound or ProblemKind.SandboxDestroyed => new SandboxNotFoundException(sandboxId ?? "", kind, message, requestId),
            404 => new NotFoundException(kind, message, requestId),
            >= 500 => new ProviderException(kind, status, code, message, requestId),
            _ => new ServerException(kind, status, code, message, requestId),
        };
    }

    /// <summary>
    /// Several rows share a status and a code. The wire tells them apart by the row's title, with which every message begins
    /// ("sandbox not found: …"); where it is missing, the most general row of that status is meant.
    /// </summary>
    private static ProblemKind KindOf(int status, string code, string message)
    {
        Problem? best = null;
        foreach (Problem row in Problem.Table)
        {
            bool fits = (status == 0 || row.Status == status) && (code.Length == 0 || row.Code == code);
            if (!fits)
                continue;
            if (row.Title.Length > 0 && message.StartsWith(row.Title, StringComparison.Ordinal))
                return row.Kind;
            // The table goes from the particular to the general for 404; elsewhere the first row is the usual one.
            if (best is null || status == 404 || row.Status == 404)
                best = row;
        }
        return best?.Kind ?? status switch
        {
            401 => ProblemKind.Unauthorized,
            403 => ProblemKind.Forbidden,
            404 => ProblemKind.NotFound,
            405 => ProblemKind.MethodNotAllowed,
            408 => ProblemKind.ExecTimeout,
            409 => ProblemKind.Conflict,
            413 => ProblemKind.PayloadTooLarge,
            429 => ProblemKind.ResourceLimit,
            502 or 503 or 504 => ProblemKind.Unavailable,
            >= 400 and < 500 => ProblemKind.InvalidInput,
            _ => ProblemKind.Internal,
        };
    }
}
