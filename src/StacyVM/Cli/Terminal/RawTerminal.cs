using System.Runtime.InteropServices;

namespace StacyVM.Cli.Terminal;

/// <summary>
/// The user's terminal in raw mode, so that every key goes to the sandbox as it is. The old mode comes back on dispose, and also when a signal
/// ends the program: a shell whose terminal stays raw is unusable.
/// </summary>
internal sealed unsafe partial class RawTerminal : IDisposable
{
    private const int Input = 0;
    private const int Output = 1;
    private const int AfterDrain = 1;
    private const int TiocGwinsz = 0x5413;

    // The kernel's termios has 60 bytes in glibc and musl on every processor; the room is for others.
    private readonly byte[] _before = new byte[256];
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly Lock _lock = new();
    private bool _raw;

    private RawTerminal()
    {
    }

    /// <summary>Both stdin and stdout are a terminal of a kind that this program can drive.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && IsTerminal(Input) == 1 && IsTerminal(Output) == 1;

    /// <summary>Columns and rows; 80 × 24 where nothing tells.</summary>
    public static (int Columns, int Rows) Size
    {
        get
        {
            WindowSize size;
            return OperatingSystem.IsLinux() && Control(Output, TiocGwinsz, &size) == 0 && size is { Columns: > 0, Rows: > 0 } ? (size.Columns, size.Rows) : (80, 24);
        }
    }

    /// <summary>Switches to raw mode.</summary>
    public static RawTerminal Enter()
    {
        var terminal = new RawTerminal();
        // Safe: the buffers are larger than any termios, and pinned for the duration of each call.
        fixed (byte* before = terminal._before)
        {
            if (GetAttributes(Input, before) != 0)
                return terminal;
            byte* raw = stackalloc byte[256];
            new ReadOnlySpan<byte>(before, 256).CopyTo(new Span<byte>(raw, 256));
            MakeRaw(raw);
            terminal._raw = SetAttributes(Input, AfterDrain, raw) == 0;
        }
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
            terminal._signals.Add(PosixSignalRegistration.Create(signal, _ => terminal.Restore()));
        AppDomain.CurrentDomain.ProcessExit += terminal.OnExit;
        return terminal;
    }

    public void Dispose()
    {
        Restore();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }

    private void OnExit(object? sender, EventArgs e) => Restore();

    private void Restore()
    {
        lock (_lock)
        {
            if (!_raw)
                return;
            _raw = false;
            fixed (byte* before = _before)
                SetAttributes(Input, AfterDrain, before);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, byte* termios);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, byte* termios);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw(byte* termios);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, WindowSize* size);
}
