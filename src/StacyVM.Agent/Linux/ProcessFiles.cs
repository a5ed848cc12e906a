using System.Buffers.Text;

namespace StacyVM.Agent.Linux;

/// <summary>What <c>/proc/PID/stat</c> says; times in clock ticks, memory in pages.</summary>
internal readonly record struct ProcessStatus(char State, int Parent, ulong CpuTicks, int Threads, ulong ResidentPages)
{
    /// <summary>Dead, all of it: a first thread can be gone while others of its process run on.</summary>
    internal bool IsDead => State is 'Z' or 'X' && Threads <= 1;

    /// <summary>Parses the line; the program's name may hold any byte, also parentheses and spaces.</summary>
    internal static ProcessStatus Parse(ReadOnlySpan<byte> line)
    {
        line = line[(line.LastIndexOf((byte)')') + 2)..];
        var status = new ProcessStatus((char)line[0], 0, 0, 0, 0);
        // Fields are numbered as in proc(5); the state is the third.
        for (int field = 3; field <= 24 && !line.IsEmpty; field++)
        {
            if (Utf8Parser.TryParse(line, out long value, out _))
            {
                status = field switch
                {
                    4 => status with { Parent = (int)value },
                    14 or 15 or 16 or 17 => status with { CpuTicks = status.CpuTicks + (ulong)value },
                    20 => status with { Threads = (int)value },
                    24 => status with { ResidentPages = (ulong)value },
                    _ => status,
                };
            }
            int space = line.IndexOf((byte)' ');
            line = space < 0 ? [] : line[(space + 1)..];
        }
        return status;
    }
}

/// <summary>Walks <c>/proc</c>.</summary>
internal static unsafe class ProcessFiles
{
    private const int BufferBytes = 32 * 1024;

    /// <summary>Calls <paramref name="visit"/> for each process that can be seen. False where there is no <c>/proc</c>.</summary>
    internal static bool ForEach(Action<int, ProcessStatus> visit)
    {
        using DirectoryReader? reader = DirectoryReader.Open("/proc\0"u8, BufferBytes);
        if (reader is null)
            return false;
        Span<byte> path = stackalloc byte[32];
        Span<byte> line = stackalloc byte[1024];
        "/proc/"u8.CopyTo(path);
        while (reader.Next(out ReadOnlySpan<byte> name, out _))
        {
            if (!Utf8Parser.TryParse(name, out int pid, out int digits) || digits != name.Length)
                continue;
            name.CopyTo(path[6..]);
            "/stat\0"u8.CopyTo(path[(6 + name.Length)..]);
            int length = Descriptor.ReadSmall(path, line);
            if (length > 0)
                visit(pid, ProcessStatus.Parse(line[..length]));
        }
        return true;
    }
}
