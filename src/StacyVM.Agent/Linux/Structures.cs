using System.Runtime.InteropServices;

namespace StacyVM.Agent.Linux;

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int Descriptor;
    public short Wanted;
    public short Ready;
}

/// <summary>Packed on x86-64, as the kernel's ABI has it there.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct EpollEvent
{
    public uint Events;
    public ulong Token;
}

[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}

/// <summary>glibc's <c>struct sigaction</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
internal struct SignalAction
{
    [FieldOffset(0)] public nint Handler;
    [FieldOffset(136)] public int Flags;
}

/// <summary>The head of <c>struct statfs</c>; the rest is padding for the kernel to write.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileSystemUsage
{
    [FieldOffset(8)] public long BlockSize;
    [FieldOffset(16)] public ulong Blocks;
    [FieldOffset(24)] public ulong Free;
}

/// <summary><c>struct statx</c>: the same on every architecture, unlike <c>struct stat</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    [FieldOffset(0x14)] public uint User;
    [FieldOffset(0x18)] public uint Group;
    [FieldOffset(0x1c)] public ushort Mode;
    [FieldOffset(0x20)] public ulong Inode;
    [FieldOffset(0x28)] public ulong Size;
    [FieldOffset(0x40)] public long AccessedSeconds;
    [FieldOffset(0x48)] public uint AccessedNanoseconds;
    [FieldOffset(0x70)] public long ModifiedSeconds;
    [FieldOffset(0x78)] public uint ModifiedNanoseconds;
    [FieldOffset(0x88)] public uint DeviceMajor;
    [FieldOffset(0x8c)] public uint DeviceMinor;

    public readonly uint Type => Mode & FileType.Mask;

    public readonly uint Permissions => Mode & 0xFFFu;

    public readonly bool IsDirectory => Type == FileType.Directory;

    public readonly bool IsFile => Type == FileType.Regular;

    public readonly bool IsLink => Type == FileType.Link;

    public readonly bool SameAs(in FileStatus other) =>
        Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;
}

internal static class FileType
{
    internal const uint Mask = 0xF000, Fifo = 0x1000, Character = 0x2000, Directory = 0x4000, Block = 0x6000, Regular = 0x8000,
        Link = 0xA000, Socket = 0xC000;
}
