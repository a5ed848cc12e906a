using System.Diagnostics;

namespace StacyVM.Server.Requests;

/// <summary>One line a request: no bodies, no query strings, no header values but the request id.</summary>
internal sealed partial class AccessLog(ILogger<AccessLog> logger)
{
    public async Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            if (logger.IsEnabled(LogLevel.Information))
            {
                Answered(
                    context.Request.Method, LogText.OfPath(context.Request.Path), context.Response.StatusCode, context.Response.ContentLength ?? -1,
                    Stopwatch.GetElapsedTime(start).TotalMilliseconds, context.TraceIdentifier);
            }
        }
    }

    [LoggerMessage(EventName = "request.answered", Level = LogLevel.Information, Message = "{Method} {Path} {Status} {Size} B {Milliseconds:0.0} ms request_id={RequestId}")]
    private partial void Answered(string method, string path, int status, long size, double milliseconds, string requestId);
}
