using System.Text;
using System.Threading.Channels;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Streaming;

/// <summary>
/// The way of stdin from the socket to the process, with a short queue between: a command that does not read its input can still be resized
/// and signalled. When the queue is full the socket waits.
/// </summary>
internal sealed class SocketInput : IAsyncDisposable
{
    private readonly Channel<byte[]?> _queue = Channel.CreateBounded<byte[]?>(new BoundedChannelOptions(4) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _stop;
    private readonly Task _feeding;

    public SocketInput(IExecSession session, CancellationToken cancellation)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _feeding = FeedAsync(session, _stop.Token);
    }

    public static byte[] Bytes(ExecSocketMessage message)
    {
        if (message.DataBase64 is null)
            return Encoding.UTF8.GetBytes(message.Data ?? "");
        try
        {
            return Convert.FromBase64String(message.DataBase64);
        }
        catch (FormatException e)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, "data_base64 is not base64", e);
        }
    }

    public ValueTask WriteAsync(byte[] data, CancellationToken cancellation) =>
        data.Length == 0 ? ValueTask.CompletedTask : _queue.Writer.WriteAsync(data, cancellation);

    public ValueTask EndAsync(CancellationToken cancellation) => _queue.Writer.WriteAsync(null, cancellation);

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _stop.CancelAsync();
        await _feeding;
        _stop.Dispose();
    }

    private async Task FeedAsync(IExecSession session, CancellationToken cancellation)
    {
        bool takes = true;
        try
        {
            await foreach (byte[]? data in _queue.Reader.ReadAllAsync(cancellation))
            {
                try
                {
                    if (takes && data is not null)
                        await session.WriteAsync(data, cancellation);
                    else if (takes)
                        await session.CloseInputAsync(cancellation);
                }
                catch (StacyVMException)
                {
                    // The process has closed its input or ended; what else was typed has no reader.
                    takes = false;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
