using System.Text;
using StacyVM.Engine.Providers;

namespace StacyVM.Tests.Sandboxes;

/// <summary>A command that says its lines and ends, or never ends.</summary>
internal sealed class ScriptedSession(params (bool IsError, byte[] Data)[] output) : IExecSession
{
    private readonly TaskCompletionSource<ExecExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _next;

    public static ScriptedSession Saying(string stdout, string stderr = "") =>
        new((false, Encoding.UTF8.GetBytes(stdout)), (true, Encoding.UTF8.GetBytes(stderr)));

    public ExecSpec Spec { get; set; } = null!;

    public ExecExit End { get; set; } = new(0, false, false, TimeSpan.FromMilliseconds(1));

    /// <summary>Output never ends.</summary>
    public bool Hangs { get; set; }

    public TaskCompletionSource Reading { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MemoryStream Input { get; } = new();

    public bool InputClosed { get; private set; }

    public bool Disposed { get; private set; }

    public uint Process => 7;

    public uint Pid => 42;

    public ulong Offset => 0;

    public Task<ExecExit> Exit => _exit.Task;

    public async ValueTask<ExecOutput?> ReadAsync(CancellationToken cancellation)
    {
        Reading.TrySetResult();
        if (_next < output.Length)
        {
            (bool isError, byte[] data) = output[_next++];
            return new ExecOutput(isError, data);
        }
        if (Hangs)
            await Task.Delay(Timeout.Infinite, cancellation);
        _exit.TrySetResult(End);
        return null;
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        Input.Write(data.Span);
        return ValueTask.CompletedTask;
    }

    public ValueTask CloseInputAsync(CancellationToken cancellation)
    {
        InputClosed = true;
        return ValueTask.CompletedTask;
    }

    public ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask SignalAsync(int signal, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask KillAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        _exit.TrySetResult(new ExecExit(137, false, true, TimeSpan.Zero));
        return ValueTask.CompletedTask;
    }
}
