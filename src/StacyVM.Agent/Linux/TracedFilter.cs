using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Linux;

/// <summary>
/// A system call filter for where a tracer rewrites the paths of system calls: the ones that are younger than the tracer would pass it by, with paths of
/// the host. They are answered as if the kernel did not have them, and C libraries then use the older ones.
/// </summary>
internal static unsafe class TracedFilter
{
    private const int SetSeccomp = 22, FilterMode = 2;
    private const ushort LoadWord = 0x20, JumpIfEqual = 0x15, Return = 0x06;
    private const uint Allow = 0x7FFF0000, FailWith = 0x00050000;
    private const uint NoSuchCall = 38, Forbidden = 1;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, X64 = 0xC000003E;

    /// <summary>On x86-64: renameat2, statx, open_tree, move_mount, fsopen, fspick, openat2, faccessat2, mount_setattr, fchmodat2, and io_uring's, whose requests no tracer sees.</summary>
    private static ReadOnlySpan<uint> Young => [316, 332, 425, 426, 427, 428, 429, 430, 433, 437, 439, 442, 452];

    /// <summary>For this process and all that it starts.</summary>
    internal static void Install()
    {
        ReadOnlySpan<uint> young = Young;
        int count = young.Length + 6;
        ulong* program = stackalloc ulong[count];
        int at = 0;
        program[at++] = Statement(LoadWord, ArchitectureOffset);
        // Programs of another architecture have other numbers: none may run.
        program[at++] = Jump(X64, 1, 0);
        program[at++] = Statement(Return, FailWith | Forbidden);
        program[at++] = Statement(LoadWord, NumberOffset);
        for (int i = 0; i < young.Length; i++)
            program[at++] = Jump(young[i], (byte)(young.Length - i), 0);
        program[at++] = Statement(Return, Allow);
        program[at] = Statement(Return, FailWith | NoSuchCall);
        ulong* whole = stackalloc ulong[2] { (ulong)count, (ulong)program };
        if (Libc.ProcessControl(ProcessOptions.SetNoNewPrivileges, 1, 0, 0, 0) != 0 || Libc.ProcessControl(SetSeccomp, FilterMode, (nuint)whole, 0, 0) != 0)
            throw OperationFailure.Of(Errno.Last, "cannot install a system call filter");
    }

    /// <summary>struct sock_filter: code, two distances, operand.</summary>
    private static ulong Statement(ushort code, uint operand) => code | ((ulong)operand << 32);

    private static ulong Jump(uint operand, byte yes, byte no) => JumpIfEqual | ((ulong)yes << 16) | ((ulong)no << 24) | ((ulong)operand << 32);
}
