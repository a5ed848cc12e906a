namespace StacyVM.Engine.Images.Disks;

/// <summary>One inode of a file system that is being written.</summary>
/// <param name="node">What it is made of.</param>
/// <param name="parent">Of a directory, the one that it is in; the root is in itself.</param>
/// <param name="slot">Its place in the table.</param>
internal sealed class ErofsInode(ImageNode node, ErofsInode? parent, int slot)
{
    public const int EntrySize = 12;

    public ImageNode Node => node;

    public ErofsInode Parent => parent ?? this;

    public int Slot => slot;

    public uint Links { get; set; } = 1;

    /// <summary>Of its content.</summary>
    public long Size { get; set; } = node.Facts.Size;

    /// <summary>First block of its content.</summary>
    public long Start { get; set; }

    /// <summary>Of a directory, itself and its parent among them.</summary>
    public List<(byte[] Name, ErofsInode Inode)> Entries { get; } = [];

    /// <summary>Which entries share a block.</summary>
    public List<(int First, int Count)> Pieces { get; } = [];

    /// <summary>Of a directory, when all its entries are known. The kernel looks names up by halving, the two dots among them.</summary>
    public void Pack(int blockSize)
    {
        Entries.Add(([(byte)'.'], this));
        Entries.Add(([(byte)'.', (byte)'.'], Parent));
        Entries.Sort(static (x, y) => x.Name.AsSpan().SequenceCompareTo(y.Name));
        int first = 0, used = 0;
        for (int i = 0; i < Entries.Count; i++)
        {
            int length = EntrySize + Entries[i].Name.Length;
            if (used + length > blockSize)
            {
                Pieces.Add((first, i - first));
                (first, used) = (i, 0);
            }
            used += length;
        }
        Pieces.Add((first, Entries.Count - first));
        Size = ((Pieces.Count - 1) * (long)blockSize) + used;
    }
}
