using StacyVM.Engine.Configuration;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Quotas;

/// <summary>The limits that really hold for an owner. Zero: none.</summary>
internal sealed record OwnerLimits(int MaxSandboxes, TimeSpan MaxTtl, TimeSpan MaxExecTimeout)
{
    /// <summary>The limits of everyone without a quota.</summary>
    public static OwnerLimits Of(DefaultsOptions defaults) => new(defaults.MaxSandboxesPerOwner, defaults.MaxTtl, defaults.MaxExecTimeout);

    /// <summary>Each value of the quota that is not zero wins, up and down.</summary>
    public OwnerLimits With(OwnerQuota quota) => new(
        quota.MaxSandboxes > 0 ? quota.MaxSandboxes : MaxSandboxes,
        quota.MaxTtl > TimeSpan.Zero ? quota.MaxTtl : MaxTtl,
        quota.MaxExecTimeout > TimeSpan.Zero ? quota.MaxExecTimeout : MaxExecTimeout);

    /// <summary>The most that may be had of a lifetime.</summary>
    public TimeSpan Shortened(TimeSpan ttl) => MaxTtl > TimeSpan.Zero && ttl > MaxTtl ? MaxTtl : ttl;

    /// <summary>What is to be said to a lifetime that is too long; null when it is not.</summary>
    public StacyVMException? Refusal(TimeSpan ttl) => MaxTtl > TimeSpan.Zero && ttl > MaxTtl
        ? new StacyVMException(ProblemKind.ResourceLimit, $"ttl exceeds max ttl: {GoDuration.Format(ttl)} > {GoDuration.Format(MaxTtl)}")
        : null;
}
