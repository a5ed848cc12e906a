using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>Lines of a body, of any length up to a bound. Beyond it the reading fails; it never ends silently.</summary>
internal sealed class LineReader(Stream body, string who)
{
    private const int Longest = 16 * 1024 * 1024;

    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private int _searched;

    /// <summary>The next line without its end, valid until the next call; null at the end of the body. A last line needs no end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            int found = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (found >= 0)
                return Take(_searched + found, 1);
            _searched = _end;
            MakeRoom();
            int count = await body.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
            if (count == 0)
                return _start == _end ? (ReadOnlyMemory<byte>?)null : Take(_end, 0);
            _end += count;
        }
    }

    private ReadOnlyMemory<byte> Take(int end, int terminator)
    {
        ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, end - _start);
        _start = _searched = end + terminator;
        return line;
    }

    private void MakeRoom()
    {
        if (_end < _buffer.Length)
            return;
        int length = _end - _start;
        if (length > Longest)
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{who} sent a line of more than {Longest / 1024 / 1024} MiB, which is not read");
        byte[] target = length > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : new byte[_buffer.Length];
        _buffer.AsSpan(_start, length).CopyTo(target);
        (_buffer, _start, _end, _searched) = (target, 0, length, _searched - _start);
    }
}
