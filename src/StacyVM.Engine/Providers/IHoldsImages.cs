using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers;

/// <summary>Optional power of a provider: it has images of its own, which can be taken over into the store of the levels that are built here.</summary>
internal interface IHoldsImages
{
    /// <summary>An image as an archive in the form of <c>docker save</c>.</summary>
    /// <exception cref="StacyVMException">
    /// <see cref="ProblemKind.NotFound"/> when it is not there, <see cref="ProblemKind.ProviderUnavailable"/> when the level does not answer.
    /// </exception>
    Task<Stream> ExportImageAsync(string name, CancellationToken cancellation);
}
