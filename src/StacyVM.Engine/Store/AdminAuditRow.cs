namespace StacyVM.Engine.Store;

/// <summary>One request to the admin area, or one that was refused, for audit.</summary>
internal sealed record AdminAuditRow(DateTime CreatedAt) : LogRow(CreatedAt)
{
    public required string Actor { get; init; }

    public required string Method { get; init; }

    public required string Path { get; init; }

    public required int Status { get; init; }

    public long DurationMs { get; init; }

    public string RequestId { get; init; } = "";

    public string RemoteAddr { get; init; } = "";

    public string UserAgent { get; init; } = "";

    public string TenantId { get; init; } = "";
}
