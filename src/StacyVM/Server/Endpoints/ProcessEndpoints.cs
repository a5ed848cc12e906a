using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;

namespace StacyVM.Server.Endpoints;

/// <summary>Processes that a sandbox's agent knows: list, inspect, replay and follow output, signal, kill.</summary>
internal sealed class ProcessEndpoints(SandboxDirectory sandboxes, CommandRunner commands, NdjsonOutput lines)
{
    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sandboxes/{id}/processes", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "listProcesses", "List processes", "Those that were started by exec and are still known, running or ended.")
            .AnswersWith(200, RestJson.Default.ListProcessInfo, RouteExamples.ListOf(RouteExamples.Process))
            .Fails(ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapGet("/sandboxes/{id}/processes/{process}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getProcess", "Inspect a process")
            .AnswersWith(200, RestJson.Default.ProcessInfo, RouteExamples.Process)
            .Fails(ProblemKind.NotFound, ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapGet("/sandboxes/{id}/processes/{process}/output", OutputAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "getProcessOutput", "Replay and follow the output of a process")
            .Query("offset", "Bytes of output to leave out; 0 when absent.", "integer", example: "0")
            .Query("follow", "`true` waits for more until the process ends; otherwise what there is now is all.", "boolean", example: "true")
            .AnswersWith(200, "application/x-ndjson", "One chunk a line, each with the offset behind it.", RestJson.Default.StreamChunk,
                """{"stream":"stdout","data":"hello\n","offset":6}""")
            .Fails(ProblemKind.NotFound, ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapPost("/sandboxes/{id}/processes/{process}/signal", SignalAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "signalProcess", "Send a signal to a process")
            .Takes(RestJson.Default.SignalRequest, """{"signal":"SIGINT"}""", "signal")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"signalled"}""")
            .Fails(ProblemKind.NotFound, ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapDelete("/sandboxes/{id}/processes/{process}", KillAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "killProcess", "Kill a process", "With all its children.")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"killed"}""")
            .Fails(ProblemKind.NotFound, ProblemKind.Unsupported, ProblemKind.SandboxGone));
    }

    private async Task ListAsync(HttpContext context)
    {
        IKeepsProcesses keeper = await KeeperAsync(context);
        IReadOnlyList<ProcessSnapshot> processes = await keeper.ListProcessesAsync(context.RequestAborted);
        await JsonAnswer.OkAsync(context, [.. processes.Select(Info)], RestJson.Default.ListProcessInfo);
    }

    private async Task GetAsync(HttpContext context) =>
        await JsonAnswer.OkAsync(context, Info(await FindAsync(context)), RestJson.Default.ProcessInfo);

    /// <summary><c>?offset=</c> begins there; <c>?follow=true</c> waits for more until the process ends, otherwise what there is now is all.</summary>
    private async Task OutputAsync(HttpContext context)
    {
        ulong offset = 0;
        if (context.Query("offset") is { Length: > 0 } text && !ulong.TryParse(text, System.Globalization.NumberStyles.None, null, out offset))
            throw new StacyVMException(ProblemKind.InvalidInput, "offset is a number of bytes");
        ProcessSnapshot process = await FindAsync(context);
        ulong until = context.Flag("follow") || !process.Running ? ulong.MaxValue : process.OutputBytes;
        string id = context.SandboxId();
        await using RunningCommand command = await commands.AttachAsync(id, process.Process, offset, context.Caller(), context.RequestAborted);
        await lines.WriteAsync(context, id, command, offsets: true, until);
    }

    private async Task SignalAsync(HttpContext context)
    {
        SignalRequest request = await JsonBody.ReadAsync(context, RestJson.Default.SignalRequest);
        int signal = SignalName.Parse(request.Signal);
        uint process = context.ProcessNumber();
        IKeepsProcesses keeper = await KeeperAsync(context);
        await keeper.SignalProcessAsync(process, signal, context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "signalled");
    }

    private async Task KillAsync(HttpContext context)
    {
        uint process = context.ProcessNumber();
        IKeepsProcesses keeper = await KeeperAsync(context);
        await keeper.SignalProcessAsync(process, 0, context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "killed");
    }

    private async Task<ProcessSnapshot> FindAsync(HttpContext context)
    {
        uint number = context.ProcessNumber();
        IKeepsProcesses keeper = await KeeperAsync(context);
        IReadOnlyList<ProcessSnapshot> processes = await keeper.ListProcessesAsync(context.RequestAborted);
        return processes.FirstOrDefault(process => process.Process == number)
            ?? throw new StacyVMException(ProblemKind.NotFound, $"process {number} of {context.SandboxId()}");
    }

    private async Task<IKeepsProcesses> KeeperAsync(HttpContext context) =>
        await sandboxes.LivingAsync(context.SandboxId(), context.Caller(), context.RequestAborted) as IKeepsProcesses
        ?? throw new StacyVMException(ProblemKind.Unsupported, $"the provider of {context.SandboxId()} does not list processes");

    private static ProcessInfo Info(ProcessSnapshot process) => new()
    {
        ProcessId = process.Process,
        Pid = process.Pid,
        Command = process.Command,
        Running = process.Running,
        ExitCode = process.Running ? null : process.ExitCode,
        StartedAt = process.StartedAt,
        OutputBytes = (long)process.OutputBytes,
    };
}
