using StacyVM.Engine.Images;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers;

/// <summary>What a sandbox's root is made of, for the levels that have this machine's own programs and the image store.</summary>
internal static class ImageChoice
{
    /// <returns>An image that is here, pulled when it was not; null for <see cref="HostImage.Name"/>.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>: it cannot be had, with what can.</exception>
    public static async Task<StoredImage?> OfAsync(ImageStore images, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (spec.Image == HostImage.Name)
            return null;
        // A default that nobody asked for is not pulled: the host's own programs stand in for it.
        if (images.Find(spec.Image) is { } here)
            return here;
        if (spec.ImageIsDefault)
            return null;
        try
        {
            return await images.EnsureAsync(spec.Image, progress, cancellation).ConfigureAwait(false);
        }
        catch (StacyVMException problem) when (problem.Kind == ProblemKind.InvalidInput)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"{problem.Detail}; \"{HostImage.Name}\" (this machine's own programs) is always there", problem);
        }
    }
}
