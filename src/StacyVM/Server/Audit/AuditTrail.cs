using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Store;
using StacyVM.Server.Previews;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Audit;

/// <summary>
/// Writes down every request to the admin area and every call that was refused, on whatever route. Rows are queued for the store's writer: no request
/// waits for them.
/// </summary>
internal sealed class AuditTrail(IStore store, RefusedCalls refused, PreviewHost previews, TimeProvider time)
{
    private const int MaxMethodLength = 16;
    private const int MaxAgentLength = 256;

    public Task ApplyAsync(HttpContext context, RequestDelegate next) =>
        // What an application in a sandbox refuses is its own affair.
        previews.Covers(context.Request.Host.Host) ? next(context) : WatchAsync(context, next);

    private async Task WatchAsync(HttpContext context, RequestDelegate next)
    {
        var call = new Call(this, context, time.GetTimestamp());
        // Before the first byte of the answer leaves: whoever has the answer finds the row.
        context.Response.OnStarting(static state => ((Call)state).EndAsync(), call);
        try
        {
            await next(context);
        }
        finally
        {
            // For a client that went away before it was answered.
            await call.EndAsync();
        }
    }

    private void Record(HttpContext context, long start)
    {
        int status = context.Response.StatusCode;
        bool isAdmin = context.Request.Path.StartsWithSegments("/api/v1/admin");
        bool isRefused = status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden;
        // A browser's question whether it may ask is no call.
        if ((!isAdmin && !isRefused) || (HttpMethods.IsOptions(context.Request.Method) && !isRefused))
            return;
        Identity identity = context.Identity();
        ClientAddress address = ClientAddress.Of(context);
        bool isCheap = isRefused || !identity.Known || status is StatusCodes.Status429TooManyRequests;
        if (isCheap && !refused.Admits(address.Network, status))
            return;
        Caller caller = identity.Caller;
        store.Append(new AdminAuditRow(time.GetUtcNow().UtcDateTime)
        {
            Actor = caller.Actor,
            Method = LogText.Of(context.Request.Method, MaxMethodLength),
            Path = LogText.OfPath(context.Request.Path),
            Status = status,
            DurationMs = (long)time.GetElapsedTime(start).TotalMilliseconds,
            RequestId = context.TraceIdentifier,
            RemoteAddr = address.ToString(),
            UserAgent = LogText.Of(context.Request.Headers.UserAgent.ToString(), MaxAgentLength),
            TenantId = caller.Tenant ?? "",
        });
    }

    private sealed class Call(AuditTrail trail, HttpContext context, long start)
    {
        private bool _ended;

        public Task EndAsync()
        {
            if (!_ended)
            {
                _ended = true;
                trail.Record(context, start);
            }
            return Task.CompletedTask;
        }
    }
}
