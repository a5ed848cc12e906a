using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Life of sandboxes: spawn, list, inspect, extend, destroy, prune; what they print, use and serve.</summary>
internal sealed class SandboxEndpoints(SandboxDirectory sandboxes, Admission admission)
{
    private const int DefaultLogLines = 100;
    private const int MaxLogLines = 100_000;
    private static readonly TimeSpan PausedPatience = TimeSpan.FromSeconds(2);

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/sandboxes", SpawnAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "spawnSandbox", "Spawn a sandbox", "Answers when the sandbox runs, its image pulled where that is needed.")
            .Takes(RestJson.Default.SpawnRequest, """{"image":"alpine:latest","memory_mb":512,"ttl":"30m","metadata":{"purpose":"analysis"}}""")
            .AnswersWith(201, RestJson.Default.SandboxInfo, RouteExamples.Sandbox, "The running sandbox; `Location` has its address.")
            .Fails(ProblemKind.ProviderNotFound, ProblemKind.NotFound, ProblemKind.Conflict, ProblemKind.ExecTimeout, ProblemKind.ResourceLimit, ProblemKind.Unsupported, ProblemKind.ProviderUnavailable, ProblemKind.StorageFull));
        api.MapPost("/sandboxes/admission", AdmissionAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "checkAdmission", "Ask whether a spawn would be let in", "Takes what a spawn takes and starts nothing. What a spawn would refuse as invalid is refused here, too.")
            .Query("include", "`placement`: also say where it would run.", example: "placement")
            .Takes(RestJson.Default.SpawnRequest, """{"image":"alpine:latest","ttl":"30m"}""")
            .AnswersWith(200, RestJson.Default.SpawnAdmissionDecision,
                """{"allowed":false,"queueable":true,"reason":"max_sandboxes","active_sandboxes":10,"max_sandboxes":10,"max_ttl":"24h0m0s"}""")
            .Fails(ProblemKind.ProviderNotFound, ProblemKind.NotFound, ProblemKind.Conflict));
        api.MapGet("/sandboxes", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "listSandboxes", "List sandboxes", "Newest first, without destroyed ones.")
            .AnswersWith(200, RestJson.Default.IReadOnlyListSandboxInfo, RouteExamples.ListOf(RouteExamples.Sandbox)));
        // Any client may prune, as the published SDKs do with the client key, but only what it may see: of its tenant when it has one, of its owner
        // where owners are kept apart. Nobody's living sandbox ends by it: what is pruned has expired.
        api.MapDelete("/sandboxes", PruneAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "pruneSandboxes", "Destroy what has expired", "Sandboxes expire by themselves; this does not wait for it.")
            .AnswersWith(200, RestJson.Default.PruneResult, """{"pruned":2}"""));
        api.MapGet("/sandboxes/{id}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getSandbox", "Inspect a sandbox")
            .AnswersWith(200, RestJson.Default.SandboxInfo, RouteExamples.Sandbox)
            .Fails(ProblemKind.SandboxDestroyed));
        api.MapDelete("/sandboxes/{id}", DestroyAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "destroySandbox", "Destroy a sandbox", "With all its processes and files. Destroying twice is not an error.")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"destroyed"}"""));
        api.MapPost("/sandboxes/{id}/extend", ExtendAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "extendSandbox", "Give a sandbox more time", "The new life counts from now on; it replaces what was left.")
            .Takes(RestJson.Default.ExtendRequest, """{"ttl":"1h"}""", "ttl")
            .AnswersWith(200, RestJson.Default.SandboxInfo, RouteExamples.Sandbox)
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.Conflict, ProblemKind.ResourceLimit));
        MapInspection(api);
    }

    private void MapInspection(IEndpointRouteBuilder api)
    {
        api.MapGet("/sandboxes/{id}/logs", LogsAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "getSandboxLogs", "Read the console of a sandbox", "Oldest line first.")
            .Query("lines", "How many lines from the end; 100 when absent or no positive number.", "integer", example: "100")
            .AnswersWith(200, RestJson.Default.IReadOnlyListString, """["agent: ready"]""")
            .Fails(ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapGet("/sandboxes/{id}/stats", StatsAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "getSandboxStats", "Measure a sandbox", "Where the provider has no numbers only `supported` is there, and false.")
            .AnswersWith(200, RestJson.Default.SandboxStats, """{"supported":true,"cpu_pct":12.5,"mem_bytes":10485760,"mem_limit_bytes":536870912,"processes":3,"disk_bytes":4096}""")
            .Fails(ProblemKind.SandboxGone));
        api.MapGet("/sandboxes/{id}/ports", PortsAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "listSandboxPorts", "List ports on which a sandbox listens")
            .AnswersWith(200, RestJson.Default.ListPortInfo, """[{"port":8000,"preview_url":"http://8000-sb-4f1c09d2a7b3e865.localhost:7423"}]""")
            .Fails(ProblemKind.Unsupported, ProblemKind.SandboxGone));
    }

    private async Task SpawnAsync(HttpContext context)
    {
        SpawnRequest request = await JsonBody.ReadAsync(context, RestJson.Default.SpawnRequest);
        await AnswerSpawnedAsync(context, await sandboxes.CreateAsync(request, context.Caller(), context.RequestAborted));
    }

    public static Task AnswerSpawnedAsync(HttpContext context, SandboxInfo info)
    {
        context.Response.Headers.Location = $"/api/v1/sandboxes/{info.Id}";
        return JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, info, RestJson.Default.SandboxInfo);
    }

    private async Task AdmissionAsync(HttpContext context)
    {
        SpawnRequest request = await JsonBody.ReadAsync(context, RestJson.Default.SpawnRequest);
        SpawnAdmissionDecision decision = await admission.DecideAsync(request, context.Caller(), context.RequestAborted);
        // The original's Python client breaks on fields that it does not know.
        if (context.Query("include") != "placement")
            decision = decision with { SelectedWorkerId = null, EligibleWorkers = null, WorkerReason = null };
        await JsonAnswer.OkAsync(context, decision, RestJson.Default.SpawnAdmissionDecision);
    }

    private Task ListAsync(HttpContext context) =>
        JsonAnswer.OkAsync(context, sandboxes.List(context.Caller()), RestJson.Default.IReadOnlyListSandboxInfo);

    private async Task PruneAsync(HttpContext context)
    {
        int pruned = await sandboxes.PruneAsync(context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, new PruneResult { Pruned = pruned }, RestJson.Default.PruneResult);
    }

    private Task GetAsync(HttpContext context) =>
        JsonAnswer.OkAsync(context, sandboxes.Get(context.SandboxId(), context.Caller()), RestJson.Default.SandboxInfo);

    private async Task DestroyAsync(HttpContext context)
    {
        await sandboxes.DestroyAsync(context.SandboxId(), context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, SandboxStates.Destroyed);
    }

    private async Task ExtendAsync(HttpContext context)
    {
        ExtendRequest request = await JsonBody.ReadAsync(context, RestJson.Default.ExtendRequest);
        if (string.IsNullOrEmpty(request.Ttl))
            throw Refusal.BadInput("ttl is required");
        if (!GoDuration.TryParse(request.Ttl, out TimeSpan ttl))
            throw Refusal.BadInput($"invalid ttl format: \"{request.Ttl}\" is not a duration such as 30m or 1h30m");
        if (ttl <= TimeSpan.Zero)
            throw Refusal.BadInput("ttl must be positive");
        SandboxInfo info = await sandboxes.ExtendAsync(context.SandboxId(), ttl, context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, info, RestJson.Default.SandboxInfo);
    }

    private async Task LogsAsync(HttpContext context)
    {
        int lines = int.TryParse(context.Query("lines"), out int wanted) && wanted > 0 ? Math.Min(wanted, MaxLogLines) : DefaultLogLines;
        ISandbox sandbox = await sandboxes.InspectAsync(context.SandboxId(), context.Caller(), context.RequestAborted);
        if (sandbox is not IConsoleLog console)
            throw new StacyVMException(ProblemKind.Unsupported, $"the provider of {sandbox.Id} keeps no console log");
        await JsonAnswer.OkAsync(context, await console.TailAsync(lines, context.RequestAborted), RestJson.Default.IReadOnlyListString);
    }

    private async Task StatsAsync(HttpContext context)
    {
        ISandbox sandbox = await sandboxes.InspectAsync(context.SandboxId(), context.Caller(), context.RequestAborted);
        // Where only the agent has the numbers, one that stands still gives none.
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (sandboxes.Get(sandbox.Id, context.Caller()).State == SandboxStates.Paused)
            patience.CancelAfter(PausedPatience);
        SandboxStats stats = sandbox is IReportsUsage reports
            ? await StatsAsync(reports, patience.Token, context.RequestAborted)
            : new SandboxStats { Supported = false };
        await JsonAnswer.OkAsync(context, stats, RestJson.Default.SandboxStats);
    }

    private static async Task<SandboxStats> StatsAsync(IReportsUsage reports, CancellationToken patience, CancellationToken aborted)
    {
        try
        {
            return Stats(await reports.UsageAsync(patience));
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            return new SandboxStats { Supported = false };
        }
    }

    private static SandboxStats Stats(SandboxUsage usage) => new()
    {
        Supported = true,
        CpuPct = double.IsFinite(usage.CpuPercent) ? Math.Round(usage.CpuPercent, 2) : 0,
        MemBytes = usage.MemoryBytes,
        MemLimitBytes = usage.MemoryLimitBytes,
        Processes = usage.Processes,
        DiskBytes = usage.DiskBytes >= 0 ? usage.DiskBytes : null,
    };

    private async Task PortsAsync(HttpContext context)
    {
        string id = context.SandboxId();
        SandboxInfo info = sandboxes.Get(id, context.Caller());
        if (await sandboxes.LivingAsync(id, context.Caller(), context.RequestAborted) is not IForwardsPorts forwards)
            throw new StacyVMException(ProblemKind.Unsupported, $"the provider {info.Provider} does not forward ports");
        IReadOnlyList<int> ports = await forwards.ListPortsAsync(context.RequestAborted);
        List<PortInfo> answer = [.. ports.Select(port => new PortInfo { Port = port, PreviewUrl = $"http://{port}-{id}.{info.PreviewDomain ?? "localhost"}" })];
        await JsonAnswer.OkAsync(context, answer, RestJson.Default.ListPortInfo);
    }
}
