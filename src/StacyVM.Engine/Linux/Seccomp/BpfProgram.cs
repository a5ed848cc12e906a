using System.Buffers.Binary;

namespace StacyVM.Engine.Linux.Seccomp;

/// <summary>Puts a filter together, instruction by instruction: <c>struct sock_filter</c> is u16 code, u8 jump if true, u8 jump if false, u32 operand.</summary>
internal sealed class BpfProgram
{
    public const int InstructionSize = 8;

    public const ushort LoadWord = 0x20;
    public const ushort JumpEqual = 0x15;
    public const ushort JumpGreaterOrEqual = 0x35;
    public const ushort JumpAnySet = 0x45;
    public const ushort Return = 0x06;

    private readonly List<byte> _code = [];

    /// <summary>Loads a 32-bit word of <c>struct seccomp_data</c>.</summary>
    public void Load(uint offset) => Add(LoadWord, 0, 0, offset);

    /// <summary>Skips instructions by the outcome of a comparison with the loaded word.</summary>
    public void Jump(ushort comparison, uint operand, byte ifTrue, byte ifFalse) => Add(comparison, ifTrue, ifFalse, operand);

    public void End(uint verdict) => Add(Return, 0, 0, verdict);

    /// <summary>Number of instructions.</summary>
    public int Count => _code.Count / InstructionSize;

    public void Append(BpfProgram block) => _code.AddRange(block._code);

    public byte[] ToArray() => [.. _code];

    private void Add(ushort code, byte ifTrue, byte ifFalse, uint operand)
    {
        Span<byte> instruction = stackalloc byte[InstructionSize];
        BinaryPrimitives.WriteUInt16LittleEndian(instruction, code);
        instruction[2] = ifTrue;
        instruction[3] = ifFalse;
        BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], operand);
        _code.AddRange(instruction);
    }
}
