using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Quotas;

/// <summary>The limits of one owner that differ from the defaults. A zero inherits the default.</summary>
internal sealed record OwnerQuota
{
    public required string OwnerId { get; init; }

    public required int MaxSandboxes { get; init; }

    /// <summary>Whole seconds.</summary>
    public required TimeSpan MaxTtl { get; init; }

    /// <summary>Whole seconds.</summary>
    public required TimeSpan MaxExecTimeout { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>A quota as it is asked for.</summary>
    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static OwnerQuota Of(string owner, QuotaRequest request, DateTime now) => new()
    {
        OwnerId = OwnerName.Required(owner),
        MaxSandboxes = request.MaxSandboxes is not < 0 and var most
            ? most ?? 0
            : throw Invalid($"max_sandboxes is {request.MaxSandboxes}, and must not be negative; 0 inherits the default"),
        MaxTtl = Seconds("max_ttl", request.MaxTtl),
        MaxExecTimeout = Seconds("max_exec_timeout", request.MaxExecTimeout),
        CreatedAt = now,
        UpdatedAt = now,
    };

    /// <summary>As clients see it.</summary>
    public QuotaInfo ToInfo() => new()
    {
        OwnerId = OwnerId,
        MaxSandboxes = MaxSandboxes,
        MaxTtl = GoDuration.Format(MaxTtl),
        MaxExecTimeout = GoDuration.Format(MaxExecTimeout),
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };

    private static TimeSpan Seconds(string name, string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return TimeSpan.Zero;
        if (!GoDuration.TryParse(text.Trim(), out TimeSpan value))
            throw Invalid($"{name} is not a duration: write it as 30m, 1h30m or 90s; 0 inherits the default");
        if (value != TimeSpan.Zero && (value < TimeSpan.FromSeconds(1) || value.Ticks % TimeSpan.TicksPerSecond != 0))
            throw Invalid($"{name} is {GoDuration.Format(value)}, and must be whole seconds, at least one; 0 inherits the default");
        return value;
    }

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);
}
