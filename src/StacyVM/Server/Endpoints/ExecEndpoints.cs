using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;

namespace StacyVM.Server.Endpoints;

/// <summary>Commands: whole, as NDJSON, in the background, over a WebSocket.</summary>
internal sealed class ExecEndpoints(CommandRunner commands, NdjsonOutput lines, ExecSocket sockets, SandboxDirectory sandboxes)
{
    public void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/sandboxes/{id}/exec", ExecAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "execCommand", "Run a command",
            "Answers with the whole output; with `stream` line by line as it comes; with `background` at once. An exit code that is not 0 is an answer, not an error.")
            .Takes(RestJson.Default.ExecRequest, """{"command":"echo hello","env":{"LANG":"C"},"timeout":"30s"}""")
            .AnswersWith(200, RestJson.Default.ExecResult, """{"exit_code":0,"stdout":"hello\n","stderr":"","duration":"1.8ms"}""", "The command has ended.")
            .AnswersWith(200, "application/x-ndjson", "With `stream`: one chunk a line; the last one has the exit code.", RestJson.Default.StreamChunk,
                """{"stream":"stdout","data":"hello\n"}""")
            .AnswersWith(201, RestJson.Default.ProcessInfo, RouteExamples.Process, "With `background`: the process that was started; `Location` has its address.")
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.ExecTimeout, ProblemKind.ResourceLimit, ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapGet("/sandboxes/{id}/exec/ws", SocketAsync).RequireScopeOrTicket(Scopes.Api).Describe(new RouteDescription(
            "execOverWebSocket", "Run a command over a WebSocket",
            "With input, terminal, resizing and signals. Messages in both directions are `ExecSocketMessage` objects; the first one starts or attaches.")
            .AnswersWith(101, "", "The connection speaks WebSocket from here on.")
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.SandboxGone));
    }

    private async Task ExecAsync(HttpContext context)
    {
        ExecRequest request = await JsonBody.ReadAsync(context, RestJson.Default.ExecRequest);
        string id = context.SandboxId();
        if (request.Background == true)
            await BackgroundAsync(context, id, request);
        else if (request.Stream == true)
            await StreamAsync(context, id, request);
        else
            await ExecResultAnswer.WriteAsync(context, await commands.RunAsync(id, request, context.Caller(), context.RequestAborted));
    }

    private async Task StreamAsync(HttpContext context, string id, ExecRequest request)
    {
        await using RunningCommand command = await commands.StartAsync(id, request, null, stdin: false, context.Caller(), context.RequestAborted);
        await lines.WriteAsync(context, id, command);
    }

    private async Task BackgroundAsync(HttpContext context, string id, ExecRequest request)
    {
        await using RunningCommand command = await commands.StartAsync(id, request, null, stdin: false, context.Caller(), context.RequestAborted);
        var process = new ProcessInfo
        {
            ProcessId = command.Session.Process,
            Pid = command.Session.Pid,
            Command = request.Command ?? "",
            Running = true,
        };
        context.Response.Headers.Location = $"/api/v1/sandboxes/{id}/processes/{process.ProcessId}";
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, process, RestJson.Default.ProcessInfo);
    }

    private Task SocketAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            throw new Refusal(ProblemKind.InvalidInput, "this path takes WebSocket upgrades only; POST …/exec runs a command over plain HTTP");
        // Elsewhere an unknown sandbox is told over the socket; who is kept apart from other owners meets the same 404 as on every other route.
        if (context.Caller().IsIsolated)
            sandboxes.Get(context.SandboxId(), context.Caller());
        context.AllowLongStreams();
        return sockets.ServeAsync(context);
    }
}
