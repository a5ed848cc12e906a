using System.Runtime.CompilerServices;
using System.Text;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

/// <summary>
/// A running command and this client's hold on it. One reader at a time; writing, resizing and signalling are safe from other threads.
/// Disposing a session kills its command with all its children, unless it is a background one or was attached to.
/// </summary>
public sealed class ExecSession : IAsyncDisposable
{
    private readonly string _sandboxId;
    private readonly MessageSocket _socket;

    private ExecSession(string sandboxId, MessageSocket socket, ExecSocketMessage started)
    {
        _sandboxId = sandboxId;
        _socket = socket;
        ProcessId = started.ProcessId ?? 0;
        Pid = started.Pid ?? 0;
        Offset = started.Offset ?? 0;
    }

    /// <summary>Number of the process, for <see cref="Sandbox.AttachAsync"/>.</summary>
    public long ProcessId { get; }

    /// <summary>Process id inside the sandbox; 0 when the level does not tell.</summary>
    public long Pid { get; }

    /// <summary>Bytes of output from the start of the command up to what was read last: where to attach again when the connection breaks.</summary>
    public long Offset { get; private set; }

    /// <summary>How it ended; null while its output has not been read to the end.</summary>
    public SessionExit? Exit { get; private set; }

    internal static async Task<ExecSession> OpenAsync(ApiConnection connection, string sandboxId, string path, ExecSocketMessage first, CancellationToken cancellation)
    {
        MessageSocket socket = await MessageSocket.OpenAsync(connection, path, sandboxId, cancellation).ConfigureAwait(false);
        try
        {
            await socket.SendAsync(first, cancellation).ConfigureAwait(false);
            ExecSocketMessage? answer = await socket.ReceiveAsync(cancellation).ConfigureAwait(false);
            return answer switch
            {
                { Type: "started" } => new ExecSession(sandboxId, socket, answer),
                { Error: not null } or { Type: "error" } => throw Failure(answer, sandboxId),
                null => throw new ConnectionException($"the server closed the session in {sandboxId} before the command started"),
                _ => throw new ConnectionException($"the server began the session in {sandboxId} with an unknown message '{answer.Type}'"),
            };
        }
        catch
        {
            await socket.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The next piece of output; null when the command has ended, and <see cref="Exit"/> is set. What is not read makes the command wait.</summary>
    /// <exception cref="ConnectionException">The connection broke; a background command runs on and can be attached to at <see cref="Offset"/>.</exception>
    /// <exception cref="ServerException">ExecTimeout when its time was up, SandboxGone when the sandbox ended.</exception>
    public async ValueTask<SessionOutput?> ReadAsync(CancellationToken cancellation = default)
    {
        // The server may complain about one message, such as a signal that came too late, and go on.
        ServerException? complaint = null;
        while (Exit is null)
        {
            ExecSocketMessage message = await _socket.ReceiveAsync(cancellation).ConfigureAwait(false)
                ?? throw complaint ?? (Exception)new ConnectionException($"the server closed the session in {_sandboxId} before the command ended");
            switch (message.Type)
            {
                case "stdout" or "stderr":
                    byte[] data = message.DataBase64 is { } encoded ? Convert.FromBase64String(encoded) : Encoding.UTF8.GetBytes(message.Data ?? "");
                    Offset = message.Offset ?? Offset + data.Length;
                    return new SessionOutput(message.Type == "stderr", data);
                case "exit" when message.Code is { Length: > 0 }:
                    Exit = new SessionExit(message.ExitCode ?? -1, message.Duration ?? "");
                    throw Failure(message, _sandboxId);
                case "exit":
                    Exit = new SessionExit(message.ExitCode ?? 0, message.Duration ?? "");
                    break;
                case "error":
                    complaint = Failure(message, _sandboxId);
                    break;
            }
        }
        return null;
    }

    /// <summary>All output to its end, as <see cref="ReadAsync"/>.</summary>
    public async IAsyncEnumerable<SessionOutput> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (await ReadAsync(cancellation).ConfigureAwait(false) is { } output)
            yield return output;
    }

    /// <summary>Reads and drops what is still to come, and says how the command ended.</summary>
    public async Task<SessionExit> WaitAsync(CancellationToken cancellation = default)
    {
        while (await ReadAsync(cancellation).ConfigureAwait(false) is not null)
        {
        }
        return Exit!;
    }

    /// <summary>Feeds stdin.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation = default) =>
        _socket.SendAsync(new ExecSocketMessage { Type = "stdin", DataBase64 = Convert.ToBase64String(data.Span) }, cancellation);

    /// <summary>Feeds stdin with text, as UTF-8.</summary>
    public ValueTask WriteAsync(string text, CancellationToken cancellation = default) =>
        _socket.SendAsync(new ExecSocketMessage { Type = "stdin", Data = text }, cancellation);

    /// <summary>End of stdin.</summary>
    public ValueTask CloseInputAsync(CancellationToken cancellation = default) =>
        _socket.SendAsync(new ExecSocketMessage { Type = "eof" }, cancellation);

    /// <summary>New size of the terminal.</summary>
    public ValueTask ResizeAsync(int columns, int rows, CancellationToken cancellation = default) =>
        _socket.SendAsync(new ExecSocketMessage { Type = "resize", Cols = columns, Rows = rows }, cancellation);

    /// <param name="signal"><c>SIGINT</c>, <c>INT</c> or a number; it goes to the foreground of a terminal, else to the command's process group.</param>
    /// <param name="cancellation">Gives up.</param>
    public ValueTask SignalAsync(string signal, CancellationToken cancellation = default) =>
        _socket.SendAsync(new ExecSocketMessage { Type = "signal", Signal = signal }, cancellation);

    /// <summary>Closes the session.</summary>
    public ValueTask DisposeAsync() => _socket.DisposeAsync();

    private static ServerException Failure(ExecSocketMessage message, string sandboxId) =>
        ErrorTranslation.ToException(0, message.Code ?? "", message.Error ?? "", sandboxId, null);
}
