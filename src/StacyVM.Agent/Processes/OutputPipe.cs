using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>The reading end of one stream of a command: into its log, as fast as the slowest attached reader allows.</summary>
internal sealed unsafe class OutputPipe : IEventHandler
{
    private const int MostBytesATurn = 1024 * 1024;
    private const int DefaultPipeBytes = 64 * 1024, LargePipeBytes = 256 * 1024;
    private readonly EventLoop _loop;
    private readonly SandboxProcess _process;
    private readonly DataStream _stream;
    private int _fd;
    private bool _paused, _enlarged;

    internal OutputPipe(EventLoop loop, SandboxProcess process, DataStream stream, int fd)
    {
        (_loop, _process, _stream, _fd) = (loop, process, stream, fd);
        Descriptor.SetNonBlocking(fd);
        loop.Add(fd, EpollEvents.In, this);
    }

    /// <summary>Every writer has closed its end.</summary>
    internal bool AtEnd => _fd < 0;

    /// <summary>There may be output that nobody has room for yet.</summary>
    internal bool IsPaused => _paused;

    public void OnReady(int descriptor, uint events)
    {
        if (_process.HasEnded)
            Discard();
        else
            Read((events & EpollEvents.HangUp) != 0);
    }

    /// <summary>Takes what has been written so far, without waiting to be told of it.</summary>
    internal void Catch()
    {
        if (_fd >= 0 && !_paused)
            Read(hungUp: false);
    }

    /// <summary>There is room again.</summary>
    internal void Resume()
    {
        if (!_paused)
            return;
        _paused = false;
        _loop.Add(_fd, EpollEvents.In, this);
    }

    private void Read(bool hungUp)
    {
        for (int total = 0; total < MostBytesATurn;)
        {
            Span<byte> room = _process.ReserveOutput();
            if (room.IsEmpty)
            {
                // A pipe that is hung up is always ready: it must leave the loop, or the loop would spin.
                _paused = true;
                _loop.Remove(_fd);
                return;
            }
            nint count;
            fixed (byte* p = room)
                count = Libc.Read(_fd, p, (nuint)room.Length);
            if (count <= 0)
            {
                if (count == 0 || Errno.Last is not (Errno.TryAgain or Errno.Interrupted))
                    Finish();
                return;
            }
            total += (int)count;
            _process.CommitOutput(_stream, (int)count);
            if (count >= DefaultPipeBytes && !_enlarged)
            {
                _enlarged = true;
                Libc.Control(_fd, ControlCommands.SetPipeSize, LargePipeBytes);
            }
            if (count < room.Length && !hungUp)
                return;
        }
    }

    /// <summary>The command is over; children in the background go on writing and must neither block nor fail.</summary>
    private void Discard()
    {
        byte* nowhere = stackalloc byte[4096];
        nint count = Libc.Read(_fd, nowhere, 4096);
        if (count == 0 || (count < 0 && Errno.Last is not (Errno.TryAgain or Errno.Interrupted)))
            _loop.Close(ref _fd);
    }

    private void Finish()
    {
        _loop.Close(ref _fd);
        _process.OnOutputEnd();
    }
}
