using System.Net.WebSockets;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Streaming;

/// <summary>
/// Exec over a WebSocket, in the two protocols of <see cref="ExecSocketMessage"/>. The first message decides which:
/// 1 receive it; 2 start or attach; 3 pump output and listen to the client, side by side; 4 say how it ended; 5 close.
/// A client that does not read makes its own command wait and nobody else's.
/// </summary>
internal sealed class ExecSocket(CommandRunner commands, ServerLifetime lifetime)
{
    private static readonly TimeSpan FirstMessagePatience = TimeSpan.FromSeconds(30);

    public async Task ServeAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        using var peer = new SocketPeer(socket);
        using CancellationTokenSource end = lifetime.StreamOf(context);
        bool typed = false;
        try
        {
            ExecSocketMessage? first = await FirstAsync(peer, end.Token);
            if (first is null)
            {
                await peer.CloseAsync(WebSocketCloseStatus.NormalClosure, "");
                return;
            }
            typed = first.Type is not null;
            string id = context.SandboxId();
            await using RunningCommand command = await OpenAsync(id, first, typed, context.Caller(), end.Token);
            await ConverseAsync(peer, command.Session, first, typed, id, end);
        }
        catch (Exception e) when (IsEnding(e))
        {
            await CloseAsync(peer, e, typed);
        }
    }

    private static bool IsEnding(Exception e) => e is SocketFault or StacyVMException or OperationCanceledException or WebSocketException;

    private Task CloseAsync(SocketPeer peer, Exception reason, bool typed) => reason switch
    {
        SocketFault fault => peer.CloseAsync(fault.Status, fault.Message),
        StacyVMException problem => peer.CloseAsync(WebSocketCloseStatus.InternalServerError, "exec failed", SocketFault.Tell(problem, typed)),
        OperationCanceledException when lifetime.Stopping.IsCancellationRequested => peer.CloseAsync(
            WebSocketCloseStatus.EndpointUnavailable, "the server is stopping",
            SocketFault.Tell(new StacyVMException(ProblemKind.Unavailable, "the server is stopping"), typed)),
        _ => peer.CloseAsync(WebSocketCloseStatus.NormalClosure, ""),
    };

    private static async Task<ExecSocketMessage?> FirstAsync(SocketPeer peer, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(FirstMessagePatience);
        return await peer.ReceiveAsync(patience.Token);
    }

    private async Task ConverseAsync(
        SocketPeer peer, IExecSession session, ExecSocketMessage first, bool typed, string id, CancellationTokenSource end)
    {
        if (typed)
        {
            await peer.SendAsync(
                new() { Type = "started", ProcessId = session.Process, Pid = session.Pid, Offset = (long)session.Offset }, end.Token);
        }
        // Cancelling a receive breaks the whole socket: it is done only after the last word.
        using var hangUp = new CancellationTokenSource();
        Task listening = ListenAsync(peer, session, typed, hangUp.Token, end.Token);
        // A client that closes or breaks the rules ends the command, unless that runs in the background.
        Task ending = listening.ContinueWith(_ => end.Cancel(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            ExecSocketMessage last = await PumpAsync(peer, session, typed, first.Binary == true, id, end.Token);
            await peer.CloseAsync(WebSocketCloseStatus.NormalClosure, "", last);
        }
        catch (Exception e) when (IsEnding(e))
        {
            await CloseAsync(peer, listening.Exception?.InnerException is SocketFault fault ? fault : e, typed);
        }
        finally
        {
            await SocketPeer.AwaitFarewellAsync(listening);
            await hangUp.CancelAsync();
            await end.CancelAsync();
            await ending;
        }
    }

    private async Task<RunningCommand> OpenAsync(string id, ExecSocketMessage first, bool typed, Caller caller, CancellationToken cancellation)
    {
        if (first.Type is "attach")
        {
            if (first.ProcessId is not (>= 0 and <= uint.MaxValue) || first.Offset is < 0)
                throw new StacyVMException(ProblemKind.InvalidInput, "attach needs process_id, and an offset that is not negative");
            return await commands.AttachAsync(id, (uint)first.ProcessId, (ulong)(first.Offset ?? 0), caller, cancellation);
        }
        if (typed && first.Type != "start")
            throw new StacyVMException(ProblemKind.InvalidInput, "the first message is start or attach");
        var request = new ExecRequest
        {
            Command = first.Command,
            Args = first.Args,
            Mode = first.Mode,
            Env = first.Env,
            Workdir = first.Workdir,
            Timeout = first.Timeout,
            Background = first.Background,
        };
        TerminalSize? terminal = typed && first.Tty == true ? Size(first.Cols ?? 80, first.Rows ?? 24) : null;
        return await commands.StartAsync(id, request, terminal, stdin: typed, caller, cancellation);
    }

    private static async Task<ExecSocketMessage> PumpAsync(
        SocketPeer peer, IExecSession session, bool typed, bool binary, string id, CancellationToken cancellation)
    {
        var texts = (Out: new Utf8Pieces(), Error: new Utf8Pieces());
        while (await session.ReadAsync(cancellation) is { } piece)
        {
            if (binary)
                await peer.SendAsync(Output(typed, piece.IsError) with { DataBase64 = Convert.ToBase64String(piece.Data.Span) }, cancellation);
            else if ((piece.IsError ? texts.Error : texts.Out).Next(piece.Data.Span) is { Length: > 0 } text)
                await peer.SendAsync(Output(typed, piece.IsError) with { Data = text }, cancellation);
        }
        if (texts.Out.Rest() is { Length: > 0 } restOut)
            await peer.SendAsync(Output(typed, isError: false) with { Data = restOut }, cancellation);
        if (texts.Error.Rest() is { Length: > 0 } restError)
            await peer.SendAsync(Output(typed, isError: true) with { Data = restError }, cancellation);
        ExecExit exit = await session.Exit.WaitAsync(cancellation);
        Problem timeout = Problem.Of(ProblemKind.ExecTimeout);
        if (exit.TimedOut && !typed)
            await peer.SendAsync(Output(typed, isError: true) with { Data = $"{timeout.Title}: {id}" }, cancellation);
        return new()
        {
            Type = typed ? "exit" : "done",
            ExitCode = exit.Code,
            Duration = GoDuration.Format(exit.Duration),
            Code = exit.TimedOut ? timeout.Code : null,
            Error = exit.TimedOut && typed ? $"{timeout.Title}: {id}" : null,
        };
    }

    private static ExecSocketMessage Output(bool typed, bool isError)
    {
        string name = isError ? "stderr" : "stdout";
        return typed ? new() { Type = name } : new() { Stream = name };
    }

    /// <summary>Listens until the client closes.</summary>
    private static async Task ListenAsync(SocketPeer peer, IExecSession session, bool typed, CancellationToken hangUp, CancellationToken end)
    {
        await using var input = new SocketInput(session, end);
        while (await peer.ReceiveAsync(hangUp) is { } message)
        {
            if (!typed)
                continue;
            try
            {
                await ObeyAsync(message, session, input, end);
            }
            catch (StacyVMException problem)
            {
                await peer.SendAsync(SocketFault.Tell(problem, typed), end);
            }
        }
    }

    private static async Task ObeyAsync(ExecSocketMessage message, IExecSession session, SocketInput input, CancellationToken cancellation)
    {
        switch (message.Type)
        {
            case "stdin":
                await input.WriteAsync(SocketInput.Bytes(message), cancellation);
                break;
            case "eof":
                await input.EndAsync(cancellation);
                break;
            case "resize":
                await session.ResizeAsync(Size(message.Cols ?? 0, message.Rows ?? 0), cancellation);
                break;
            case "signal":
                await session.SignalAsync(SignalName.Parse(message.Signal), cancellation);
                break;
            default:
                throw new StacyVMException(ProblemKind.InvalidInput, "a message is stdin, eof, resize or signal");
        }
    }

    private static TerminalSize Size(int columns, int rows) => columns is >= 1 and <= 10_000 && rows is >= 1 and <= 10_000
        ? new(columns, rows)
        : throw new StacyVMException(ProblemKind.InvalidInput, "cols and rows are from 1 to 10000");
}
