using System.Text;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Images.Disks;

/// <summary>One name in the tree that the layers of an image make together.</summary>
/// <param name="path">Where it lies on this machine: in the uppermost layer that has it.</param>
/// <param name="facts">What the kernel says of it there.</param>
internal sealed class ImageNode(string path, FileFacts facts)
{
    public string Path { get; private set; } = path;

    public FileFacts Facts { get; private set; } = facts;

    /// <summary>Of a directory.</summary>
    public Dictionary<string, ImageNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>Puts layers on each other as an overlay would show them.</summary>
    /// <param name="layers">Directories, uppermost first. Only the server's own user can change them.</param>
    /// <param name="cancellation">Abandons it.</param>
    public static ImageNode Merge(IReadOnlyList<string> layers, CancellationToken cancellation)
    {
        var root = new ImageNode(layers[^1], FileFacts.Of(layers[^1]));
        foreach (string layer in layers.Reverse())
            root.Cover(layer, FileFacts.Of(layer), cancellation);
        return root;
    }

    private void Cover(string directory, FileFacts facts, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (FileFacts.IsOpaque(directory))
            Children.Clear();
        (Path, Facts) = (directory, facts);
        foreach (string path in Directory.EnumerateFileSystemEntries(directory))
        {
            string name = System.IO.Path.GetFileName(path);
            FileFacts entry = FileFacts.Of(path);
            if (entry.IsWhiteout)
            {
                Children.Remove(name);
            }
            else if (entry.IsDirectory)
            {
                if (!Children.TryGetValue(name, out ImageNode? there) || !there.Facts.IsDirectory)
                    Children[name] = there = new ImageNode(path, entry);
                there.Cover(path, entry, cancellation);
            }
            else if (entry.IsFile || entry.IsLink)
            {
                Children[name] = new ImageNode(path, entry);
            }
        }
    }

    /// <summary>Names with their bytes, in the order of those.</summary>
    public IEnumerable<(byte[] Name, ImageNode Node)> Sorted()
    {
        List<(byte[] Name, ImageNode Node)> sorted = [.. Children.Select(child => (Encoding.UTF8.GetBytes(child.Key), child.Value))];
        sorted.Sort(static (x, y) => x.Name.AsSpan().SequenceCompareTo(y.Name));
        return sorted;
    }
}
