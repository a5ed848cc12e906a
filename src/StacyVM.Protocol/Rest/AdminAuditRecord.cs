namespace StacyVM.Protocol.Rest;

/// <summary>One request to the admin area, or one that was refused anywhere. Without bodies, query strings and keys.</summary>
public sealed record AdminAuditRecord
{
    /// <summary>Grows with time.</summary>
    public required long Id { get; init; }

    /// <summary>
    /// Who asked: <c>role:header</c> of the key, such as <c>admin:X-Admin-API-Key</c>; with <c>X-User-ID</c> in front of it, as in
    /// <c>alice@api:X-API-Key</c>, where what is left of the last <c>@</c> is the caller's own claim; <c>anonymous</c> where no key is needed;
    /// <c>stranger</c> for a caller without a right key; <c>server</c> for a summary that the server itself wrote.
    /// </summary>
    public required string Actor { get; init; }

    /// <summary>HTTP method; empty in a summary.</summary>
    public required string Method { get; init; }

    /// <summary>Without the query. In a summary: how many refused calls it stands for.</summary>
    public required string Path { get; init; }

    /// <summary>HTTP status of the answer.</summary>
    public required int Status { get; init; }

    /// <summary>From the request to the first byte of its answer.</summary>
    public required long DurationMs { get; init; }

    /// <summary>The <c>X-Request-ID</c> of the answer; the access log has the same.</summary>
    public required string RequestId { get; init; }

    /// <summary>The client's address; behind a proxy of <c>server.trusted_proxies</c>, the one that it reports.</summary>
    public required string RemoteAddr { get; init; }

    /// <summary>What the client calls itself, at most 256 characters of it.</summary>
    public required string UserAgent { get; init; }

    /// <summary>Empty for none.</summary>
    public required string TenantId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }
}
