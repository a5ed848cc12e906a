using System.Buffers;
using System.Text.Json;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.MicroVm.Qemu;

/// <summary>
/// One conversation with QEMU's monitor: a greeting, an agreement on capabilities, then commands and answers, each a line of JSON, with events
/// in between. Protocol: <c>docs/interop/qmp-spec</c> of QEMU.
/// </summary>
internal sealed class QmpClient : IDisposable
{
    private const int LongestAnswer = 4 * 1024 * 1024;

    private readonly Stream _stream;
    private byte[] _buffer = new byte[4096];
    private int _start, _end;

    private QmpClient(Stream stream) => _stream = stream;

    /// <exception cref="IOException">QEMU is not there, or says something else.</exception>
    public static async Task<QmpClient> ConnectAsync(string directory, string socket, CancellationToken cancellation)
    {
        var client = new QmpClient(await UnixConnection.OpenAsync(directory, socket, cancellation).ConfigureAwait(false));
        try
        {
            using (JsonDocument greeting = await client.ReadAsync(cancellation).ConfigureAwait(false))
            {
                if (!greeting.RootElement.TryGetProperty("QMP"u8, out _))
                    throw new IOException("QEMU's monitor does not greet");
            }
            (await client.ExecuteAsync("qmp_capabilities", null, cancellation).ConfigureAwait(false)).Dispose();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Runs a command.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Writes them into an object that is open; null: none.</param>
    /// <param name="cancellation">Gives up waiting; the command runs on.</param>
    /// <returns>The answer, whose property <c>return</c> is what the command gives back.</returns>
    /// <exception cref="IOException">It failed; the message is QEMU's.</exception>
    public async Task<JsonDocument> ExecuteAsync(string command, Action<Utf8JsonWriter>? arguments, CancellationToken cancellation)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            writer.WriteString("execute"u8, command);
            if (arguments is not null)
            {
                writer.WriteStartObject("arguments"u8);
                arguments(writer);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        line.Write("\n"u8);
        await _stream.WriteAsync(line.WrittenMemory, cancellation).ConfigureAwait(false);
        while (true)
        {
            JsonDocument answer = await ReadAsync(cancellation).ConfigureAwait(false);
            if (answer.RootElement.TryGetProperty("return"u8, out _))
                return answer;
            using (answer)
            {
                // Everything else between a command and its answer is an event.
                if (answer.RootElement.TryGetProperty("error"u8, out JsonElement error))
                    throw new IOException($"QEMU refuses {command}: {error.GetProperty("desc"u8).GetString()}");
            }
        }
    }

    public void Dispose() => _stream.Dispose();

    private async Task<JsonDocument> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            int length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (length >= 0)
            {
                ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, length);
                _start += length + 1;
                if (line.Span.Trim("\r "u8).IsEmpty)
                    continue;
                try
                {
                    // A copy: the document refers to its text, and the buffer is used again.
                    return JsonDocument.Parse(line.ToArray());
                }
                catch (JsonException cause)
                {
                    throw new IOException("QEMU's monitor does not speak JSON", cause);
                }
            }
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            if (_end == _buffer.Length)
            {
                if (_buffer.Length >= LongestAnswer)
                    throw new IOException("QEMU's monitor does not end its line");
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }
            int count = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
            if (count == 0)
                throw new IOException("QEMU has ended");
            _end += count;
        }
    }
}
