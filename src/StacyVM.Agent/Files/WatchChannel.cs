using StacyVM.Agent.Connection;
using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>Request of a watch.</summary>
internal readonly record struct WatchOperation(LinuxPath Path, bool Recursive)
{
    internal static WatchOperation Read(ref RecordReader request, LinuxPath origin) =>
        new(LinuxPath.Parse(request.Blob(), origin), request.Bool());
}

/// <summary>
/// A watch on a directory. The first look at a large tree is a worker's; from then on the loop reads events, as long as the host takes
/// them. What it takes too slowly the kernel drops, and says so.
/// </summary>
internal sealed unsafe class WatchChannel(AgentConnection connection, uint number, EventLoop loop, Workers workers, WatchOperation request)
    : Channel(connection, number), IEventHandler
{
    private const int BufferBytes = 16 * 1024;
    private const int LeastCredit = 64 * 1024;
    private readonly RecordWriter _records = new();
    private WatchTree? _tree;
    private bool _watched, _over;

    internal override void OnOpened() => workers.Run(() =>
    {
        var tree = new WatchTree(request.Path, request.Recursive);
        AgentStatus status = AgentStatus.Ok;
        string message = "";
        try
        {
            tree.Begin();
        }
        catch (OperationFailure failure)
        {
            (status, message) = (failure.Status, failure.Message);
        }
        loop.Mailbox.Post(() => Begin(tree, status, message));
    });

    public void OnReady(int descriptor, uint events)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        nint length = Libc.Read(_tree!.Fd, buffer, BufferBytes);
        if (length <= 0)
            return;
        _tree.Translate(new ReadOnlySpan<byte>(buffer, (int)length), Tell);
        Flush();
        Regulate();
    }

    internal override void OnWritable() => Regulate();

    internal override void OnCancel()
    {
        bool began = _tree is not null;
        Stop();
        // Before the first look is over the worker still holds the tree; its word then finds the channel closed.
        Close(AgentStatus.Cancelled, began ? "" : "cancelled before it began");
    }

    internal override void OnLost() => Stop();

    private void Begin(WatchTree tree, AgentStatus status, string message)
    {
        if (_over || status != AgentStatus.Ok)
        {
            tree.Dispose();
            if (!_over)
                Close(status, message);
            return;
        }
        _tree = tree;
        Reply([]);
        Regulate();
    }

    private void Tell(WatchEventKind kind, ReadOnlySpan<byte> path)
    {
        if (_records.Length + path.Length + 8 > AgentProtocol.MaxPayload)
            Flush();
        _records.Byte((byte)kind);
        _records.Blob(path);
    }

    private void Flush()
    {
        if (_records.Length == 0)
            return;
        SendCredit -= _records.Length;
        Connection.Outbox.Frame(Number, FrameType.Data, DataStream.Output, _records.Written);
        _records.Clear();
    }

    /// <summary>Reads events only while the credit holds what one read can become.</summary>
    private void Regulate()
    {
        if (_tree is null)
            return;
        bool wanted = SendCredit >= LeastCredit * 8 && !Connection.Outbox.Congested;
        if (wanted == _watched)
            return;
        _watched = wanted;
        if (wanted)
            loop.Add(_tree.Fd, EpollEvents.In, this);
        else
            loop.Remove(_tree.Fd);
    }

    private void Stop()
    {
        _over = true;
        if (_watched)
            loop.Remove(_tree!.Fd);
        _watched = false;
        _tree?.Dispose();
        _tree = null;
    }
}
