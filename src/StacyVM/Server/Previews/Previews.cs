using System.Net;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;
using Yarp.ReverseProxy.Forwarder;

namespace StacyVM.Server.Previews;

/// <summary>
/// Serves what sandboxes serve: a request under a preview name is forwarded into the sandbox over its agent, plain or WebSocket, without a time
/// limit. It needs no key; whoever knows the name of a sandbox may look at it. Nothing under a preview name reaches the API.
/// </summary>
internal sealed class Previews(
    PreviewHost names, SandboxDirectory sandboxes, PreviewConnections connections, IHttpForwarder forwarder, PreviewTransformer transformer, ServerLifetime lifetime)
{
    private static readonly ForwarderRequestConfig Config = new()
    {
        // Idle streams and WebSockets live as long as their two ends do; the longest time that a timer takes stands for ever.
        ActivityTimeout = TimeSpan.FromDays(24),
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        AllowResponseBuffering = false,
    };

    public Task ApplyAsync(HttpContext context, RequestDelegate next) =>
        names.Covers(context.Request.Host.Host) ? ForwardAsync(context) : next(context);

    private async Task ForwardAsync(HttpContext context)
    {
        if (names.Parse(context.Request.Host.Host) is not var (port, id))
        {
            await PreviewFault.WriteAsync(context, StatusCodes.Status404NotFound, "NOT_FOUND", "A preview's name is <port>-<sandbox id>.<preview domain>.");
            return;
        }
        try
        {
            ISandbox sandbox = await sandboxes.LivingAsync(id, Caller.System, context.RequestAborted);
            if (sandbox is not IForwardsPorts ports)
                throw new StacyVMException(ProblemKind.Unsupported, $"the provider of {id} does not forward ports");
            context.AllowLongStreams();
            using CancellationTokenSource end = lifetime.StreamOf(context);
            ForwarderError error = await forwarder.SendAsync(
                context, $"http://{id}:{port}", connections.For(sandbox, ports), Config, transformer, end.Token);
            if (error is not ForwarderError.None && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
                await PreviewFault.WriteAsync(context, StatusCodes.Status502BadGateway, "UNAVAILABLE", $"Nothing answers on port {port} of sandbox {id}.");
        }
        catch (StacyVMException problem) when (!context.Response.HasStarted)
        {
            await PreviewFault.WriteAsync(context, problem.Problem.Status, problem.Problem.Code, problem.Message);
        }
    }
}
