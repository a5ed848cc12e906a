using System.Buffers.Binary;
using System.Text;

namespace StacyVM.Engine.Images.Disks;

/// <summary>
/// Writes a tree as a read-only file system of the kernel's kind EROFS, without compression, which every kernel since 5.4 reads. Everything in
/// it belongs to one user. The format is that of <c>fs/erofs/erofs_fs.h</c>: super block, one table of 64-byte inodes, then content in whole blocks.
/// </summary>
/// <param name="user">Owner of everything.</param>
/// <param name="group">Its group.</param>
internal sealed class ErofsWriter(uint user, uint group)
{
    private const int Block = 4096, InodeSize = 64, NumberedSize = 32;
    private const uint Magic = 0xE0F5E1E2;
    private const int SuperBlock = 1024;

    /// <summary>The first place in the table stays empty, so that no inode has the number 0, which programs take for a deleted name.</summary>
    private const int FirstSlot = 1;

    private const byte RegularType = 1, DirectoryType = 2, LinkType = 7;

    private readonly List<ErofsInode> _inodes = [];
    private readonly Dictionary<ulong, ErofsInode> _files = [];

    /// <param name="root">The tree.</param>
    /// <param name="target">Empty, and seekable.</param>
    /// <param name="cancellation">Abandons it in the middle.</param>
    /// <returns>Bytes written.</returns>
    public long Write(ImageNode root, Stream target, CancellationToken cancellation)
    {
        // 1. Every node has its place, the root the first: the super block has 16 bits for it.
        Place(root, null);

        // 2. Where the content of each begins.
        long next = 1 + Blocks((_inodes.Count + FirstSlot) * (long)InodeSize);
        foreach (ErofsInode inode in _inodes)
        {
            inode.Start = next;
            next += Blocks(inode.Size);
        }

        // 3. The head, the inodes, the content.
        target.SetLength(next * Block);
        WriteSuperBlock(target, next);
        WriteInodes(target);
        foreach (ErofsInode inode in _inodes.Where(inode => inode.Size > 0))
        {
            cancellation.ThrowIfCancellationRequested();
            target.Position = inode.Start * Block;
            WriteContent(inode, target);
        }
        return next * Block;
    }

    private ErofsInode Place(ImageNode node, ErofsInode? parent)
    {
        // Two names of one file stay two names of one file: all layers lie on one file system, whose numbers tell.
        if (node.Facts.IsFile && _files.TryGetValue(node.Facts.Inode, out ErofsInode? same))
        {
            same.Links++;
            return same;
        }
        var inode = new ErofsInode(node, parent, _inodes.Count + FirstSlot);
        _inodes.Add(inode);
        if (node.Facts.IsFile)
            _files.Add(node.Facts.Inode, inode);
        if (!node.Facts.IsDirectory)
            return inode;
        inode.Links = 2;
        foreach ((byte[] name, ImageNode child) in node.Sorted())
        {
            inode.Entries.Add((name, Place(child, inode)));
            if (child.Facts.IsDirectory)
                inode.Links++;
        }
        inode.Pack(Block);
        return inode;
    }

    private void WriteSuperBlock(Stream target, long blocks)
    {
        Span<byte> head = stackalloc byte[128];
        head.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(head, Magic);
        head[12] = 12; // 2^12 bytes a block
        BinaryPrimitives.WriteUInt16LittleEndian(head[14..], FirstSlot * InodeSize / NumberedSize);
        BinaryPrimitives.WriteUInt64LittleEndian(head[16..], (ulong)_inodes.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(head[36..], (uint)blocks);
        BinaryPrimitives.WriteUInt32LittleEndian(head[40..], 1); // first block of the inodes
        target.Position = SuperBlock;
        target.Write(head);
    }

    private void WriteInodes(Stream target)
    {
        target.Position = Block + (FirstSlot * InodeSize);
        Span<byte> slot = stackalloc byte[InodeSize];
        foreach (ErofsInode inode in _inodes)
        {
            slot.Clear();
            slot[0] = 1; // 64 bytes, content in whole blocks
            BinaryPrimitives.WriteUInt16LittleEndian(slot[4..], (ushort)inode.Node.Facts.Mode);
            BinaryPrimitives.WriteInt64LittleEndian(slot[8..], inode.Size);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[16..], inode.Size == 0 ? 0 : (uint)inode.Start);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[20..], (uint)inode.Slot);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[24..], user);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[28..], group);
            BinaryPrimitives.WriteInt64LittleEndian(slot[32..], inode.Node.Facts.ChangedAt);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[44..], inode.Links);
            target.Write(slot);
        }
    }

    private static void WriteContent(ErofsInode inode, Stream target)
    {
        if (inode.Node.Facts.IsDirectory)
        {
            WriteDirectory(inode, target);
        }
        else if (inode.Node.Facts.IsLink)
        {
            target.Write(Encoding.UTF8.GetBytes(new FileInfo(inode.Node.Path).LinkTarget ?? ""));
        }
        else
        {
            using var file = new FileStream(inode.Node.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
            if (file.Length != inode.Size)
                throw new IOException($"{inode.Node.Path} has changed while it was read");
            file.CopyTo(target, 1024 * 1024);
        }
    }

    private static void WriteDirectory(ErofsInode inode, Stream target)
    {
        byte[] block = new byte[Block];
        foreach ((int first, int count) in inode.Pieces)
        {
            Array.Clear(block);
            int names = count * ErofsInode.EntrySize;
            for (int i = 0; i < count; i++)
            {
                (byte[] name, ErofsInode entry) = inode.Entries[first + i];
                Span<byte> record = block.AsSpan(i * ErofsInode.EntrySize, ErofsInode.EntrySize);
                BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)entry.Slot * InodeSize / NumberedSize);
                BinaryPrimitives.WriteUInt16LittleEndian(record[8..], (ushort)names);
                record[10] = entry.Node.Facts.IsDirectory ? DirectoryType : entry.Node.Facts.IsLink ? LinkType : RegularType;
                name.CopyTo(block, names);
                names += name.Length;
            }
            target.Write(block, 0, first + count == inode.Entries.Count ? names : Block);
        }
    }

    private static long Blocks(long bytes) => (bytes + Block - 1) / Block;
}
