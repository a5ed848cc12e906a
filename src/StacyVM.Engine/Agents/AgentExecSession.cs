using System.Buffers.Binary;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>A process on a channel.</summary>
internal sealed class AgentExecSession(string sandboxId, AgentChannel channel, uint process, uint pid, ulong offset, bool detached) : IExecSession
{
    /// <summary>So long a dispose waits for the agent's word that the tree is dead.</summary>
    public static readonly TimeSpan KillBound = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<ExecExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _disposed;

    public uint Process { get; } = process;

    public uint Pid { get; } = pid;

    public ulong Offset { get; } = offset;

    public Task<ExecExit> Exit => _exit.Task;

    public async ValueTask<ExecOutput?> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            if (await channel.ReadAsync(cancellation).ConfigureAwait(false) is { } piece)
                return new ExecOutput(piece.Stream == DataStream.Error, piece.Data);
            Finish(await channel.ClosedAsync(cancellation).ConfigureAwait(false));
            return null;
        }
        catch (StacyVMException e)
        {
            Fault(e);
            throw;
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        // A process that has ended reads no more; that is its affair and no error of the writer's, whose client learns of the exit.
        await channel.WriteAsync(data, cancellation).ConfigureAwait(false);
    }

    public ValueTask CloseInputAsync(CancellationToken cancellation)
    {
        channel.End();
        return default;
    }

    public ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellation)
    {
        Span<byte> payload = stackalloc byte[5];
        payload[0] = (byte)ControlVerb.Resize;
        BinaryPrimitives.WriteUInt16LittleEndian(payload[1..], (ushort)Math.Clamp(size.Columns, 1, ushort.MaxValue));
        BinaryPrimitives.WriteUInt16LittleEndian(payload[3..], (ushort)Math.Clamp(size.Rows, 1, ushort.MaxValue));
        channel.Control(payload);
        return default;
    }

    public ValueTask SignalAsync(int signal, CancellationToken cancellation)
    {
        if (signal is < 1 or > 64)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{signal} is not a signal number");
        Span<byte> payload = stackalloc byte[5];
        payload[0] = (byte)ControlVerb.Signal;
        BinaryPrimitives.WriteInt32LittleEndian(payload[1..], signal);
        channel.Control(payload);
        return default;
    }

    public ValueTask KillAsync(CancellationToken cancellation)
    {
        channel.Control([(byte)ControlVerb.Kill]);
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (channel.Closed is null)
        {
            // Closed says that the tree is dead, or let go.
            await (detached ? channel.DetachAsync(KillBound) : channel.CancelAsync(KillBound)).ConfigureAwait(false);
        }
        ClosedMessage? closed = channel.Closed;
        channel.Drop();
        if (closed is not null)
            Finish(closed);
        else
            Fault(new StacyVMException(ProblemKind.SandboxGone, $"sandbox {sandboxId}: the end of process {Process} was not seen"));
    }

    private void Finish(ClosedMessage closed)
    {
        if (closed.Body.Length > 0)
        {
            try
            {
                var reader = new RecordReader(closed.Body);
                var exit = ProcessExit.Read(ref reader);
                _exit.TrySetResult(new ExecExit(
                    exit.ExitCode, exit.Flags.HasFlag(ExitFlags.TimedOut), exit.Flags.HasFlag(ExitFlags.Killed),
                    TimeSpan.FromMicroseconds(Math.Min(exit.Microseconds, long.MaxValue / 16))));
            }
            catch (ProtocolViolationException e)
            {
                Fault(new StacyVMException(ProblemKind.SandboxGone, $"sandbox {sandboxId}: its agent gave an exit that makes no sense", e));
            }
            return;
        }
        switch (closed.Status)
        {
            case AgentStatus.Cancelled when !detached:
                _exit.TrySetResult(new ExecExit(137, false, true, TimeSpan.Zero));
                break;
            case AgentStatus.Detached or AgentStatus.Cancelled:
                _exit.TrySetCanceled();
                break;
            default:
                Fault(AgentRefusal.From(closed).ToProblem(sandboxId, $"process {Process}"));
                break;
        }
    }

    private void Fault(Exception failure)
    {
        // Looked at here, because a caller that got the failure from a read need not ask for the exit too.
        if (_exit.TrySetException(failure))
            _ = _exit.Task.Exception;
    }
}
