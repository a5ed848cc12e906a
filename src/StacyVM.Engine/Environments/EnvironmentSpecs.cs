using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>The specs of all owners.</summary>
internal sealed class EnvironmentSpecs(IEnvironmentStore store, TimeProvider time)
{
    private static readonly IReadOnlyList<string> Common = ["pytest", "requests", "python-dotenv"];
    private static readonly IReadOnlyList<string> ForPython = [.. Common, "pandas", "numpy"];

    /// <exception cref="StacyVMException">InvalidInput; Forbidden; Conflict when the owner has one of that name.</exception>
    public async Task<EnvironmentSpec> CreateAsync(EnvironmentSpecRequest request, Caller caller)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        var spec = new EnvironmentSpec
        {
            Id = Guid.NewGuid().ToString(),
            OwnerId = OwnerAccess.OwnerOf(request.OwnerId, caller),
            Name = request.Name?.Trim() ?? "",
            BaseImage = request.BaseImage?.Trim() ?? "",
            PythonPackages = SpecRules.Clean(request.PythonPackages),
            AptPackages = SpecRules.Clean(request.AptPackages),
            PythonVersion = request.PythonVersion?.Trim() ?? "",
            CreatedAt = now,
            UpdatedAt = now,
        };
        SpecRules.Check(spec);
        if (!await store.AddSpecAsync(spec))
            throw new StacyVMException(ProblemKind.Conflict, $"owner {spec.OwnerId} has a spec {SpecRules.Shown(spec.Name)} already: take another name, or build that one");
        return spec;
    }

    /// <summary>Those of an owner; none for who may not see them.</summary>
    /// <exception cref="StacyVMException">InvalidInput for what is no owner.</exception>
    public async Task<IReadOnlyList<EnvironmentSpec>> ListAsync(string owner, Caller caller, CancellationToken cancellation)
    {
        string name = OwnerName.Required(owner);
        return OwnerAccess.IsOpen(name, caller) ? await store.ListSpecsAsync(name, cancellation) : [];
    }

    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task<EnvironmentSpec> GetAsync(string id, Caller caller, CancellationToken cancellation) =>
        await store.FindSpecAsync(id, cancellation) is { } spec && OwnerAccess.IsOpen(spec.OwnerId, caller)
            ? spec
            : throw new StacyVMException(ProblemKind.NotFound, $"environment spec {SpecRules.Shown(id)}");

    public static IReadOnlyList<string> SuggestionsFor(EnvironmentSpec spec) =>
        spec.BaseImage.Contains("python", StringComparison.OrdinalIgnoreCase) ? ForPython : Common;
}
