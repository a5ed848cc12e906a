namespace StacyVM.Sdk;

/// <summary>Which events to receive. Null: any.</summary>
public sealed record EventFilter
{
    /// <summary>For example <c>sandbox.created</c>.</summary>
    public string? Type { get; init; }

    public string? SandboxId { get; init; }

    /// <summary>Begin after this event, such as <c>evt-12</c>; null: only what is new.</summary>
    public string? AfterId { get; init; }
}
