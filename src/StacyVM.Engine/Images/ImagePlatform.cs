using System.Runtime.InteropServices;
using StacyVM.Engine.Images.Oci;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images;

/// <summary>This machine, among those that an image may be for.</summary>
internal static class ImagePlatform
{
    /// <summary>As OCI calls it.</summary>
    public static string Architecture { get; } = RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture.Arm => "arm",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>The manifest of an index that is for this machine.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>, naming the machines that there are.</exception>
    public static OciDescriptor Choose(OciManifest index, ImageReference image)
    {
        // Attestations stand in the same list, for a machine called "unknown".
        List<OciDescriptor> forMachines = [.. (index.Manifests ?? []).Where(manifest => manifest.Platform is null or { Os: not "unknown" })];
        return forMachines.Find(manifest => manifest.Platform is { Os: "linux" } platform && platform.Architecture == Architecture)
            ?? forMachines.Find(manifest => manifest.Platform is null)
            ?? throw new StacyVMException(
                ProblemKind.InvalidInput,
                $"image {image.Familiar} is not made for linux/{Architecture}; it is for {string.Join(", ", forMachines.Select(m => $"{m.Platform!.Os}/{m.Platform.Architecture}").Distinct())}");
    }

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for an image of another machine.</exception>
    public static void Check(OciConfig config, string image)
    {
        bool fits = (config.Os is "" or "linux") && (config.Architecture.Length == 0 || config.Architecture == Architecture);
        if (!fits)
            throw new StacyVMException(ProblemKind.InvalidInput, $"image {image} is for {config.Os}/{config.Architecture}, and this machine is linux/{Architecture}");
    }
}
