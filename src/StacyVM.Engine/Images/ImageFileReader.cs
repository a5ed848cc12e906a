using Microsoft.Win32.SafeHandles;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Images;

/// <summary>
/// Looks into an image without mounting it: small files and the existence of paths, uppermost layer first. What a layer holds was written by
/// strangers: nothing is followed out of it, and only real files of a sensible size are read.
/// </summary>
internal sealed class ImageFileReader(IReadOnlyList<string> layers)
{
    private const int MaxFile = 1024 * 1024;

    /// <summary>A small text file; null when the image has none there.</summary>
    /// <param name="path">Relative to the root.</param>
    public string? ReadText(string path)
    {
        foreach (string layer in layers)
        {
            using SafeFileHandle root = Libc.OpenDirectory(Libc.AT_FDCWD, layer, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
            // Not to wait: a pipe would be opened only with its other end. A white-out cannot be opened at all.
            using SafeFileHandle place = Libc.OpenBeneath(root, path, Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
            if (place.IsInvalid && Libc.Error == Libc.ENOENT)
                continue;
            if (place.IsInvalid || !Libc.IsRegularFile(place))
                return null;
            using var file = new FileStream(place, FileAccess.Read, 0);
            if (file.Length > MaxFile)
                return null;
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        return null;
    }

    /// <summary>Whether some layer has a directory there.</summary>
    public bool HasDirectory(string path) => layers.Any(layer =>
    {
        using SafeFileHandle root = Libc.OpenDirectory(Libc.AT_FDCWD, layer, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
        using SafeFileHandle place = Libc.OpenBeneath(root, path, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
        return !place.IsInvalid;
    });
}
