using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Images.Layers;

/// <summary>
/// Writes a layer's archive into a directory, as the upper part of an overlay: white-outs become those of the kernel. Everything belongs to
/// the server's user; set-user-id bits, capabilities, devices and pipes are left out, for no sandbox needs them and all could be misused.
/// </summary>
internal sealed class LayerUnpacker(UnpackLimits limits)
{
    /// <summary>Marks of the layer format. OCI image specification, layer.md.</summary>
    private const string WhiteoutPrefix = ".wh.";
    private const string OpaqueMark = ".wh..wh..opq";
    private const int ENOSPC = 28;
    private const int EDQUOT = 122;

    /// <summary>1 read an entry, 2 hold it against the limits, 3 write it.</summary>
    /// <param name="archive">Not compressed; read to its end.</param>
    /// <param name="directory">An empty directory.</param>
    /// <param name="cancellation">Stops in the middle; the directory is then the caller's to remove.</param>
    /// <returns>Bytes of content written.</returns>
    /// <exception cref="InvalidDataException">It is no archive, not a safe one, or beyond the limits.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task<long> UnpackAsync(Stream archive, string directory, CancellationToken cancellation)
    {
        var tar = new TarArchive(archive);
        using var tree = new TreeWriter(directory);
        byte[] buffer = new byte[128 * 1024];
        List<(string Path, long Time)> directories = [];
        long bytes = 0;
        int entries = 0;
        // 1.
        while (await tar.NextAsync(cancellation).ConfigureAwait(false) is { } entry)
        {
            // 2.
            bytes += entry.Size;
            if (++entries > limits.MaxEntries)
                throw new InvalidDataException($"a layer has more than {limits.MaxEntries} entries");
            if (bytes > limits.MaxBytes)
                throw new InvalidDataException($"a layer unpacks to more than {limits.MaxBytes} bytes (images.max_bytes)");
            // 3.
            try
            {
                await WriteAsync(tar, tree, entry, buffer, cancellation).ConfigureAwait(false);
            }
            catch (IOException cause) when (cause.HResult is not (ENOSPC or EDQUOT) && cause is not EndOfStreamException)
            {
                throw new InvalidDataException($"{entry.Path} cannot be unpacked: {cause.Message}", cause);
            }
            if (entry.Kind == TarKind.Directory)
                directories.Add((entry.Path, entry.ChangedAt));
        }
        await tar.DrainAsync(cancellation).ConfigureAwait(false);
        // The times of directories change while they are filled.
        foreach ((string path, long time) in directories)
            tree.SetTime(path, time);
        return bytes;
    }

    private static async Task WriteAsync(TarArchive tar, TreeWriter tree, TarEntry entry, byte[] buffer, CancellationToken cancellation)
    {
        int slash = entry.Path.LastIndexOf('/');
        string name = entry.Path[(slash + 1)..];
        if (name == OpaqueMark)
        {
            string parent = slash < 0 ? "" : entry.Path[..slash];
            if (parent.Length > 0)
                tree.MakeDirectory(parent, 0x1ED);
            tree.MarkOpaque(parent);
            return;
        }
        if (name.StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
        {
            string hidden = name[WhiteoutPrefix.Length..];
            if (hidden is "" or "." or ".." || hidden.StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
                throw new InvalidDataException($"{name} hides nothing that can be");
            tree.MakeWhiteout(entry.Path[..(slash + 1)] + hidden);
            return;
        }
        if (entry.Path.Length == 0 && entry.Kind != TarKind.Directory)
            throw new InvalidDataException("the root of the image is no directory");
        switch (entry.Kind)
        {
            case TarKind.Directory:
                tree.MakeDirectory(entry.Path, entry.Mode);
                return;
            case TarKind.SymbolicLink:
                tree.MakeLink(entry.Path, entry.Target);
                break;
            case TarKind.HardLink:
                tree.MakeHardLink(entry.Path, entry.Target);
                return;
            case TarKind.File:
                await WriteFileAsync(tar, tree, entry, buffer, cancellation).ConfigureAwait(false);
                break;
            case TarKind.Other:
                return;
        }
        tree.SetTime(entry.Path, entry.ChangedAt);
    }

    private static async Task WriteFileAsync(TarArchive tar, TreeWriter tree, TarEntry entry, byte[] buffer, CancellationToken cancellation)
    {
        await using FileStream file = tree.CreateFile(entry.Path, entry.Mode);
        while (await tar.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and int count)
            file.Write(buffer.AsSpan(0, count));
    }
}
