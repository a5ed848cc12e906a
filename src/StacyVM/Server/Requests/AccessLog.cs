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
                    context.Request.Method, Printable(context.Request.Path), context.Response.StatusCode, context.Response.ContentLength ?? -1,
                    Stopwatch.GetElapsedTime(start).TotalMilliseconds, context.TraceIdentifier);
            }
        }
    }

    /// <summary>A path is decoded text: control characters would let a caller write log lines of its own.</summary>
    private static string Printable(PathString path)
    {
        string text = path.Value ?? "";
        if (text.Length > 512)
            text = text[..512];
        return text.AsSpan().ContainsAnyInRange('\0', '\x1f') || text.Contains('\x7f')
            ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c))
            : text;
    }

    [LoggerMessage(EventName = "request.answered", Level = LogLevel.Information, Message = "{Method} {Path} {Status} {Size} B {Milliseconds:0.0} ms request_id={RequestId}")]
    private partial void Answered(string method, string path, int status, long size, double milliseconds, string requestId);
}
