using System.Text;
using System.Threading.Channels;
using StacyVM.Engine.Providers;

namespace StacyVM.Tests.Server.Scripted;

/// <summary>A process that a test drives. At most 64 pieces of its output wait for a reader.</summary>
internal sealed class ScriptedSession(uint process, ExecSpec spec) : IExecSession
{
    private readonly Channel<(bool IsError, byte[] Data)> _output = Channel.CreateBounded<(bool, byte[])>(64);
    private readonly List<(bool IsError, byte[] Data)> _history = [];
    private readonly TaskCompletionSource<ExecExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<object> _received = Channel.CreateUnbounded<object>();

    public uint Process => process;

    public uint Pid => 1000 + process;

    public ulong Offset { get; private init; }

    public ExecSpec Spec => spec;

    public Task<ExecExit> Exit => _exit.Task;

    /// <summary>Completes when the process is killed, by request or because its client went away.</summary>
    public Task Killed => _killed.Task;

    /// <summary>What came in: texts of stdin, <c>eof</c>, sizes, signal numbers.</summary>
    public ChannelReader<object> Received => _received.Reader;

    public void Run(string command)
    {
        if (command.StartsWith("echo ", StringComparison.Ordinal))
            End(0, command[5..] + "\n");
        else if (command.StartsWith("exit ", StringComparison.Ordinal))
            End(int.Parse(command[5..]), null);
        else if (command == "timeout")
            End(137, "part", timedOut: true);
    }

    public void Write(byte[] data, bool isError = false)
    {
        lock (_history)
            _history.Add((isError, data));
        if (!_output.Writer.TryWrite((isError, data)))
            throw new InvalidOperationException("nobody reads the output");
    }

    public ValueTask WriteOutputAsync(byte[] data, CancellationToken cancellation) => _output.Writer.WriteAsync((false, data), cancellation);

    public void End(int code, string? last = null, bool timedOut = false)
    {
        if (last is not null)
            Write(Encoding.UTF8.GetBytes(last));
        _output.Writer.TryComplete();
        _exit.TrySetResult(new ExecExit(code, timedOut, false, TimeSpan.FromMilliseconds(1.5)));
    }

    public void Break(Exception cause)
    {
        _output.Writer.TryComplete(cause);
        _exit.TrySetException(cause);
    }

    public ScriptedSession Replay(ulong offset)
    {
        var replay = new ScriptedSession(process, spec) { Offset = offset };
        lock (_history)
        {
            foreach (var (isError, data) in _history)
            {
                if (offset >= (ulong)data.Length)
                    offset -= (ulong)data.Length;
                else
                {
                    replay.Write(data[(int)offset..], isError);
                    offset = 0;
                }
            }
        }
        if (Exit.IsCompletedSuccessfully)
            replay.End(Exit.Result.Code);
        return replay;
    }

    public ProcessSnapshot Snapshot()
    {
        lock (_history)
        {
            return new(process, Pid, spec.Arguments[^1], DateTime.UnixEpoch, !Exit.IsCompleted, Exit.IsCompletedSuccessfully ? Exit.Result.Code : 0,
                (ulong)_history.Sum(piece => piece.Data.Length), spec.Terminal is not null);
        }
    }

    public async ValueTask<ExecOutput?> ReadAsync(CancellationToken cancellation)
    {
        while (await _output.Reader.WaitToReadAsync(cancellation))
        {
            if (_output.Reader.TryRead(out var piece))
                return new ExecOutput(piece.IsError, piece.Data);
        }
        return null;
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        string text = Encoding.UTF8.GetString(data.Span);
        await _received.Writer.WriteAsync(text, cancellation);
        if (spec.Arguments[^1] == "cat")
            Write(data.ToArray());
    }

    public async ValueTask CloseInputAsync(CancellationToken cancellation)
    {
        await _received.Writer.WriteAsync("eof", cancellation);
        if (spec.Arguments[^1] == "cat")
            End(0);
    }

    public ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellation) => _received.Writer.WriteAsync(size, cancellation);

    public ValueTask SignalAsync(int signal, CancellationToken cancellation)
    {
        if (signal is 0 or 9)
            _killed.TrySetResult();
        return _received.Writer.WriteAsync(signal, cancellation);
    }

    public ValueTask KillAsync(CancellationToken cancellation) => SignalAsync(0, cancellation);

    public ValueTask DisposeAsync()
    {
        if (!Exit.IsCompleted && !spec.Detached && Offset == 0)
            _killed.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
