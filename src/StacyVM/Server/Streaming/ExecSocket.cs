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
            await RunAsync(context, peer, first, typed, end);
        }
        catch (SocketFault fault)
        {
            await peer.CloseAsync(fault.Status, fault.Message);
        }
        catch (StacyVMException problem)
        {
            await peer.CloseAsync(WebSocketCloseStatus.InternalServerError, "exec failed", SocketFault.Tell(problem, typed));
        }
        catch (OperationCanceledException) when (lifetime.Stopping.IsCancellationRequested)
        {
            var stopping = new StacyVMException(ProblemKind.Unavailable, "the server is stopping");
            await peer.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "the server is stopping", SocketFault.Tell(stopping, typed));
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException)
        {
            await peer.CloseAsync(WebSocketCloseStatus.NormalClosure, "");
        }
    }

    private static async Task<ExecSocketMessage?> FirstAsync(SocketPeer peer, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(FirstMessagePatience);
        return await peer.ReceiveAsync(patience.Token);
    }

    private async Task RunAsync(HttpContext context, SocketPeer peer, ExecSocketMessage first, bool typed, CancellationTokenSource end)
    {
        string id = context.SandboxId();
        await using RunningCommand command = await OpenAsync(id, first, typed, context.Caller(), end.Token);
        IExecSession session = command.Session;
        if (typed)
        {
            await peer.SendAsync(
                new() { Type = "started", ProcessId = session.Process, Pid = session.Pid, Offset = (long)session.Offset }, end.Token);
        }
        Task listening = ListenAsync(peer, session, typed, end);
        try
        {
            ExecSocketMessage last = await PumpAsync(peer, session, typed, first.Binary == true, id, end.Token);
            await peer.CloseAsync(WebSocketCloseStatus.NormalClosure, "", last);
            await SocketPeer.AwaitFarewellAsync(listening);
        }
        catch (OperationCanceledException) when (!lifetime.Stopping.IsCancellationRequested)
        {
            // The client closed, or broke the protocol: then what it did is the reason that is told.
            await end.CancelAsync();
            await listening;
            throw;
        }
        finally
        {
            await end.CancelAsync();
            await listening.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
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

    /// <summary>Listens until the client closes, which ends the command unless it runs in the background.</summary>
    private static async Task ListenAsync(SocketPeer peer, IExecSession session, bool typed, CancellationTokenSource end)
    {
        await using var input = new SocketInput(session, end.Token);
        try
        {
            while (await peer.ReceiveAsync(end.Token) is { } message)
            {
                if (!typed)
                    continue;
                try
                {
                    await ObeyAsync(message, session, input, end.Token);
                }
                catch (StacyVMException problem)
                {
                    await peer.SendAsync(SocketFault.Tell(problem, typed), end.Token);
                }
            }
        }
        finally
        {
            await end.CancelAsync();
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
