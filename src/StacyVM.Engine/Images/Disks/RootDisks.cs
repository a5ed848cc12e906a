using System.Collections.Concurrent;
using System.Globalization;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Disks;

/// <summary>Images as disks of machines: each made once, read-only, shared by all machines that run it, gone with its image.</summary>
internal sealed class RootDisks(ImageFiles files)
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const long Mebibyte = 1024 * 1024;

    private readonly ConcurrentDictionary<ImageDigest, SemaphoreSlim> _turns = new();

    /// <param name="image">In the store.</param>
    /// <param name="layers">Its layers, uppermost first.</param>
    /// <param name="progress">Sentences.</param>
    /// <param name="cancellation">Leaves no disk behind.</param>
    /// <returns>The disk's file. Its mode lets everyone read it; the directory lets nobody come to it but through an open file.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.StorageFull"/>.</exception>
    public async Task<string> EnsureAsync(StoredImage image, IReadOnlyList<string> layers, IProgress<string>? progress, CancellationToken cancellation)
    {
        string path = files.Disk(image.Digest);
        if (File.Exists(path))
            return path;
        SemaphoreSlim turn = _turns.GetOrAdd(image.Digest, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!File.Exists(path))
                await Task.Run(() => Make(image, layers, path, progress, cancellation), cancellation).ConfigureAwait(false);
            return path;
        }
        finally
        {
            turn.Release();
        }
    }

    private void Make(StoredImage image, IReadOnlyList<string> layers, string path, IProgress<string>? progress, CancellationToken cancellation)
    {
        progress?.Report($"making the disk of {image.Title} from {layers.Count.ToString(CultureInfo.InvariantCulture)} layers");
        string draft = files.NewDraft();
        try
        {
            ImageUser owner = ImageUser.Of(image, new ImageFileReader(layers));
            long bytes;
            using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 64 * 1024 }))
                bytes = new ErofsWriter(owner.Id, owner.Group).Write(ImageNode.Merge(layers, cancellation), file, cancellation);
            File.SetUnixFileMode(draft, Readable);
            if (Libc.Rename(draft, path) != 0)
                throw new IOException($"cannot rename {draft}: {Libc.LastError()}", Libc.Error);
            progress?.Report($"the disk of {image.Title} is made: {(bytes / Mebibyte).ToString(CultureInfo.InvariantCulture)} MiB");
        }
        catch (IOException cause) when (cause.HResult is Libc.ENOSPC or Libc.EDQUOT)
        {
            throw new StacyVMException(ProblemKind.StorageFull, $"no room on the disk of {files.Root} for the disk of {image.Title}", cause);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
