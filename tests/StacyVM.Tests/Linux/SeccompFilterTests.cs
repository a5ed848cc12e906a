using System.Buffers.Binary;
using StacyVM.Engine.Linux.Seccomp;
using Xunit;

namespace StacyVM.Tests.Linux;

public sealed class SeccompFilterTests
{
    private static readonly byte[] Program = SeccompFilter.Build(SyscallTable.X64);

    [Theory]
    [InlineData(0, "read")]
    [InlineData(57, "fork")]
    [InlineData(59, "execve")]
    [InlineData(101, "ptrace")]
    [InlineData(439, "faccessat2")]
    [InlineData(466, "the newest")]
    public void Ordinary_calls_pass(uint number, string what) => Assert.True(Run(number) == SeccompFilter.Allow, what);

    [Fact]
    public void Every_denied_call_is_refused()
    {
        foreach (string name in new[] { "mount", "umount2", "pivot_root", "fsopen", "open_tree", "move_mount", "mount_setattr", "setns", "bpf", "userfaultfd", "perf_event_open", "keyctl", "add_key", "request_key", "kexec_load", "init_module", "finit_module", "open_by_handle_at", "name_to_handle_at", "swapon", "reboot", "settimeofday", "clock_settime", "adjtimex", "iopl", "ioperm", "quotactl", "acct", "fanotify_init", "lookup_dcookie", "syslog", "vhangup", "chroot" })
            Assert.True(Run(SyscallTable.X64.Numbers[name]) == SeccompFilter.NotPermitted, name);
    }

    [Theory]
    [InlineData(435)]
    [InlineData(425)]
    [InlineData(426)]
    [InlineData(427)]
    [InlineData(467)]
    [InlineData(1000)]
    [InlineData(uint.MaxValue)]
    public void Calls_that_are_too_new_or_cannot_be_looked_into_do_not_exist(uint number) => Assert.Equal(SeccompFilter.NoSuchCall, Run(number));

    [Theory]
    [InlineData(0x40000000u)]
    [InlineData(0x40000000u + 59)]
    [InlineData(0x40000000u + 520)]
    public void The_x32_interface_does_not_exist(uint number) => Assert.Equal(SeccompFilter.NoSuchCall, Run(number));

    [Fact]
    public void Another_architecture_is_killed() => Assert.Equal(SeccompFilter.KillProcess, Run(0, architecture: 0x40000003));

    [Theory]
    [InlineData(1u, 0u, SeccompFilter.Allow)]
    [InlineData(2u, 0u, SeccompFilter.Allow)]
    [InlineData(10u, 0u, SeccompFilter.Allow)]
    [InlineData(16u, 0u, SeccompFilter.Allow)]
    [InlineData(16u, 15u, SeccompFilter.Allow)]
    [InlineData(16u, 12u, SeccompFilter.ProtocolNotSupported)]
    [InlineData(38u, 0u, SeccompFilter.FamilyNotSupported)]
    [InlineData(40u, 0u, SeccompFilter.FamilyNotSupported)]
    [InlineData(17u, 0u, SeccompFilter.FamilyNotSupported)]
    [InlineData(44u, 0u, SeccompFilter.FamilyNotSupported)]
    public void Sockets_are_local_or_of_the_internet(uint family, uint protocol, uint verdict)
    {
        Assert.Equal(verdict, Run(41, family, 1, protocol));
        Assert.Equal(verdict, Run(53, family, 1, protocol));
    }

    [Theory]
    [InlineData(0x10000000u)]
    [InlineData(0x00020000u)]
    [InlineData(0x02000000u)]
    [InlineData(0x04000000u)]
    [InlineData(0x08000000u)]
    [InlineData(0x20000000u)]
    [InlineData(0x40000000u)]
    public void No_call_makes_a_namespace(uint flag)
    {
        Assert.Equal(SeccompFilter.NotPermitted, Run(272, flag));
        Assert.Equal(SeccompFilter.NotPermitted, Run(56, flag | 17));
    }

    [Fact]
    public void Threads_and_forks_pass()
    {
        Assert.Equal(SeccompFilter.Allow, Run(56, 0x003D0F00));
        Assert.Equal(SeccompFilter.Allow, Run(56, 0x01200011));
        Assert.Equal(SeccompFilter.Allow, Run(272, 0x400));
    }

    [Theory]
    [InlineData(0x5412u, SeccompFilter.NotPermitted)]
    [InlineData(0x541Cu, SeccompFilter.NotPermitted)]
    [InlineData(0x5413u, SeccompFilter.Allow)]
    public void Terminal_input_cannot_be_pushed(uint request, uint verdict) => Assert.Equal(verdict, Run(16, 0, request));

    [Theory]
    [InlineData(0u, SeccompFilter.Allow)]
    [InlineData(uint.MaxValue, SeccompFilter.Allow)]
    [InlineData(0x0400000u, SeccompFilter.NotPermitted)]
    public void Personality_stays_harmless(uint persona, uint verdict) => Assert.Equal(verdict, Run(135, persona));

    /// <summary>Interprets the program as the kernel does.</summary>
    private static uint Run(uint number, uint a0 = 0, uint a1 = 0, uint a2 = 0, uint architecture = 0xC000003E)
    {
        byte[] data = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), architecture);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(16), a0);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(24), a1);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(32), a2);
        uint loaded = 0;
        for (int i = 0; ; i++)
        {
            ReadOnlySpan<byte> one = Program.AsSpan(i * BpfProgram.InstructionSize, BpfProgram.InstructionSize);
            uint operand = BinaryPrimitives.ReadUInt32LittleEndian(one[4..]);
            switch (BinaryPrimitives.ReadUInt16LittleEndian(one))
            {
                case BpfProgram.LoadWord:
                    loaded = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)operand));
                    break;
                case BpfProgram.JumpEqual:
                    i += loaded == operand ? one[2] : one[3];
                    break;
                case BpfProgram.JumpGreaterOrEqual:
                    i += loaded >= operand ? one[2] : one[3];
                    break;
                case BpfProgram.JumpAnySet:
                    i += (loaded & operand) != 0 ? one[2] : one[3];
                    break;
                case BpfProgram.Return:
                    return operand;
                default:
                    throw new InvalidDataException("unknown instruction");
            }
        }
    }
}
