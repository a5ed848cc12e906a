using System.Runtime.InteropServices;
using StacyVM.Sdk;

namespace StacyVM.Cli.Terminal;

/// <summary>Connects a session in a sandbox with this program's streams, terminal and signals until the command ends.</summary>
internal sealed class SessionConsole(ExecSession session)
{
    /// <summary>128 + SIGPIPE: whoever read our output has gone, as a shell reports it.</summary>
    private const int BrokenPipeExitCode = 141;

    private int _interrupts;

    /// <param name="input">Feed stdin.</param>
    /// <param name="terminal">The command runs on a terminal: keys go through raw, and the size follows the window.</param>
    /// <param name="closeInput">Without <paramref name="input"/>: the command's stdin ends at once. A process that is only watched keeps its own.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>The command's own exit code.</returns>
    public async Task<int> RunAsync(bool input, bool terminal, bool closeInput, CancellationToken cancellation)
    {
        using RawTerminal? raw = terminal && input && RawTerminal.IsAvailable ? RawTerminal.Enter() : null;
        // In raw mode Ctrl-C is a byte for the sandbox; else it is a signal for us, and meant for the command.
        using PosixSignalRegistration? interrupt = raw is null ? PosixSignalRegistration.Create(PosixSignal.SIGINT, OnInterrupt) : null;
        using PosixSignalRegistration? resize = terminal && !OperatingSystem.IsWindows() ? PosixSignalRegistration.Create(PosixSignal.SIGWINCH, OnResize) : null;
        if (input)
            StandardInput.FeedTo(session);
        else if (closeInput)
            await session.CloseInputAsync(cancellation);
        return await CopyOutputAsync(cancellation);
    }

    private async Task<int> CopyOutputAsync(CancellationToken cancellation)
    {
        using Stream output = StandardStream.Output();
        using Stream error = StandardStream.Error();
        while (await session.ReadAsync(cancellation) is { } piece)
        {
            try
            {
                await (piece.IsError ? error : output).WriteAsync(piece.Data, cancellation);
            }
            catch (IOException)
            {
                return BrokenPipeExitCode;
            }
        }
        return session.Exit!.Code;
    }

    // First the command is asked, as if it ran here; then it is killed; then we go.
    private void OnInterrupt(PosixSignalContext context)
    {
        int count = Interlocked.Increment(ref _interrupts);
        context.Cancel = count <= 2;
        if (count <= 2)
            _ = SendAsync(() => session.SignalAsync(count == 1 ? "SIGINT" : "SIGKILL"));
    }

    private void OnResize(PosixSignalContext context)
    {
        (int columns, int rows) = RawTerminal.Size;
        _ = SendAsync(() => session.ResizeAsync(columns, rows));
    }

    private static async Task SendAsync(Func<ValueTask> send)
    {
        try
        {
            await send();
        }
        catch (Exception fault) when (fault is Protocol.Problems.StacyVMException or OperationCanceledException)
        {
            // The session has ended or broken; its reader says how.
        }
    }
}
