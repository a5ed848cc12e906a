namespace StacyVM.Engine.Store;

/// <summary>Which rows of the admin audit; what is null does not restrict.</summary>
/// <param name="Limit">At most so many, the newest.</param>
internal sealed record AdminAuditFilter(int Limit)
{
    /// <summary>Any of these.</summary>
    public IReadOnlyList<string>? Actors { get; init; }

    public string? Method { get; init; }

    public int? Status { get; init; }

    /// <summary>A part of the path, to the letter.</summary>
    public string? Path { get; init; }

    public string? Tenant { get; init; }
}
