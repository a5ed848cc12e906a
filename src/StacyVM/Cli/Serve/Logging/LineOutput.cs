using System.Buffers;

namespace StacyVM.Cli.Serve.Logging;

/// <summary>Writes whole lines, one at a time, from many threads.</summary>
internal sealed class LineOutput(Stream stream) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _line = new(1024);

    public void Write(in LogEntry entry, LineFormat format)
    {
        lock (_lock)
        {
            _line.ResetWrittenCount();
            format(entry, _line);
            try
            {
                stream.Write(_line.WrittenSpan);
            }
            catch (IOException)
            {
                // Whoever read the log has gone; the server has not.
            }
        }
    }

    public void Dispose() => stream.Dispose();
}

/// <summary>Turns an entry into a line with its end.</summary>
internal delegate void LineFormat(in LogEntry entry, IBufferWriter<byte> line);
