using System.Runtime.InteropServices;
using System.Text;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>The environment of a command: the agent's own without its private names, then what the request adds or replaces.</summary>
internal static unsafe class CommandEnvironment
{
    private static ReadOnlySpan<byte> DefaultPath => "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"u8;

    private static ReadOnlySpan<byte> DefaultTerminal => "TERM=xterm-256color"u8;

    internal static byte** Build(
        AgentOptions options, IReadOnlyList<KeyValuePair<string, string>> added, bool terminal, long mark, NativeArena arena)
    {
        int inherited = 0;
        byte** own = options.Environment;
        while (own[inherited] != null)
            inherited++;
        var table = (byte**)arena.Take<nint>(inherited + added.Count + 4);
        int count = 0;
        for (int i = 0; i < inherited; i++)
            table[count++] = own[i];
        foreach ((string name, string value) in added)
            if (!name.StartsWith(AgentProtocol.VariablePrefix, StringComparison.Ordinal))
                count = Set(table, count, arena.Text(name + "=" + value), Encoding.UTF8.GetByteCount(name));
        if (Find(table, count, "PATH="u8) < 0)
            table[count++] = arena.Text(DefaultPath);
        if (terminal && Find(table, count, "TERM="u8) < 0)
            table[count++] = arena.Text(DefaultTerminal);
        if (mark != 0)
            table[count++] = arena.Text(OrphanMark.Entry(mark));
        table[count] = null;
        return table;
    }

    /// <summary>The value behind <paramref name="prefix"/> (a name and its equals sign), or an empty span.</summary>
    internal static ReadOnlySpan<byte> Value(byte** table, ReadOnlySpan<byte> prefix)
    {
        int count = 0;
        while (table[count] != null)
            count++;
        int index = Find(table, count, prefix);
        return index < 0 ? default : MemoryMarshal.CreateReadOnlySpanFromNullTerminated(table[index])[prefix.Length..];
    }

    private static int Set(byte** table, int count, byte* entry, int nameLength)
    {
        int index = Find(table, count, new ReadOnlySpan<byte>(entry, nameLength + 1));
        table[index < 0 ? count : index] = entry;
        return index < 0 ? count + 1 : count;
    }

    private static int Find(byte** table, int count, ReadOnlySpan<byte> prefix)
    {
        for (int i = 0; i < count; i++)
            if (MemoryMarshal.CreateReadOnlySpanFromNullTerminated(table[i]).StartsWith(prefix))
                return i;
        return -1;
    }
}
