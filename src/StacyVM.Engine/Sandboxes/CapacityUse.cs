using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Places taken at one moment, and the limits of that moment; a limit of 0 is none.</summary>
internal readonly record struct CapacityUse(string Owner, int Total, int Max, int OfOwner, int MaxOfOwner)
{
    /// <summary>Why there is no place: one of <see cref="AdmissionReasons"/>; null when there is one.</summary>
    public string? Shortage =>
        Max > 0 && Total >= Max ? AdmissionReasons.MaxSandboxes
        : MaxOfOwner > 0 && OfOwner >= MaxOfOwner ? AdmissionReasons.MaxSandboxesPerOwner
        : null;

    /// <summary>What there is to say about a shortage.</summary>
    public string Explanation => Shortage switch
    {
        AdmissionReasons.MaxSandboxes => $"max sandboxes reached ({Max}): destroy one, or raise defaults.max_sandboxes",
        AdmissionReasons.MaxSandboxesPerOwner =>
            $"max sandboxes per owner reached ({MaxOfOwner}) for {Owner}: destroy one, or raise the quota of the owner or defaults.max_sandboxes_per_owner",
        _ => "",
    };

    public StacyVMException? Refusal => Shortage is null ? null : new StacyVMException(ProblemKind.ResourceLimit, Explanation);
}
