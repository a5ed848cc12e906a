using System.Runtime.InteropServices;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>
/// Where a program may lie. The child tries the candidates itself, because only there are the user, the working directory and the
/// privileges those of the command.
/// </summary>
internal static unsafe class ProgramSearch
{
    internal static byte** Candidates(byte* program, byte** environment, NativeArena arena)
    {
        ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(program);
        if (name.Contains((byte)'/'))
        {
            var only = (byte**)arena.Take<nint>(2);
            only[0] = program;
            return only;
        }
        ReadOnlySpan<byte> path = CommandEnvironment.Value(environment, "PATH="u8);
        var candidates = (byte**)arena.Take<nint>(path.Count((byte)':') + 2);
        int count = 0;
        while (true)
        {
            int colon = path.IndexOf((byte)':');
            ReadOnlySpan<byte> directory = colon < 0 ? path : path[..colon];
            // An empty entry would mean the working directory, which the sandbox's user fills: never searched.
            if (!directory.IsEmpty)
            {
                byte* candidate = arena.Take((nuint)(directory.Length + name.Length + 2));
                var text = new Span<byte>(candidate, directory.Length + name.Length + 1);
                directory.CopyTo(text);
                text[directory.Length] = (byte)'/';
                name.CopyTo(text[(directory.Length + 1)..]);
                candidates[count++] = candidate;
            }
            if (colon < 0)
                return candidates;
            path = path[(colon + 1)..];
        }
    }
}
