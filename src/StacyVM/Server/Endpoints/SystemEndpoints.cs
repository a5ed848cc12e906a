using StacyVM.Engine.Diagnostics;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Observability;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>The machine, checkpoints to start from, and the pool.</summary>
internal sealed class SystemEndpoints(HostSampler host)
{
    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/system/stats", context => JsonAnswer.OkAsync(context, host.Current(), RestJson.Default.SystemStats)).RequireScope(Scopes.Read)
            .Describe(new RouteDescription("getSystemStats", "Load of the server's machine", "Sampled each second while somebody asks; the first answer knows no rates yet.")
                .AnswersWith(200, RestJson.Default.SystemStats, Examples.Stats));
        // No level has checkpoints in this version, and there is no pool mode: both answer so, as clients ask for them.
        api.MapGet("/snapshots", context => JsonAnswer.OkAsync(context, [], RestJson.Default.ListSnapshotInfo)).RequireScope(Scopes.Read)
            .Describe(new RouteDescription("listSnapshots", "List images with a checkpoint", "Empty while no level has checkpoints.").AnswersWith(200, RestJson.Default.ListSnapshotInfo, "[]"));
        api.MapGet("/pool/status", context => JsonAnswer.OkAsync(context, new PoolStatus { Enabled = false }, RestJson.Default.PoolStatus)).RequireScope(Scopes.Read)
            .Describe(new RouteDescription("getPoolStatus", "State of the pool").AnswersWith(200, RestJson.Default.PoolStatus, """{"enabled":false}"""));
    }
}
