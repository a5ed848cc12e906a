using System.Globalization;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Primitives;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;
using StacyVM.Server.Security;

namespace StacyVM.Server.Requests;

/// <summary>
/// Turns every exception into the error envelope: problems by their row of the table, unexpected ones as 500 without any of their text. Once an
/// answer has begun, the connection is cut so that nobody takes the half for a whole.
/// </summary>
internal sealed partial class FailureBoundary(ILogger<FailureBoundary> logger)
{
    private static readonly string[] Kept =
    [
        RequestIds.Header, "Vary", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", RateLimits.LimitHeader, RateLimits.RemainingHeader,
    ];

    public async Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e)
        {
            await AnswerAsync(context, e);
        }
    }

    private Task AnswerAsync(HttpContext context, Exception e)
    {
        bool gone = context.RequestAborted.IsCancellationRequested;
        if (gone && e is OperationCanceledException or IOException or ConnectionResetException or BadHttpRequestException)
        {
            context.Response.StatusCode = context.Response.HasStarted ? context.Response.StatusCode : StatusCodes.Status499ClientClosedRequest;
            return Task.CompletedTask;
        }
        bool unexpected = e is not (StacyVMException { Kind: not ProblemKind.Internal } or Refusal or BadHttpRequestException or OperationCanceledException);
        if (unexpected)
            Failed(e, context.Request.Method, context.TraceIdentifier);
        else if (e.InnerException is not null)
            Refused(e, context.Request.Method, context.TraceIdentifier);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }
        ClearAnswer(context.Response);
        if (e is Refusal { RetryAfterSeconds: { } wait })
            context.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        return e switch
        {
            Refusal refusal => ProblemAnswer.WriteAsync(context, refusal.Problem, refusal.Message),
            StacyVMException { Kind: not ProblemKind.Internal } problem => ProblemAnswer.WriteAsync(context, problem.Problem, problem.Message),
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
                ProblemAnswer.WriteAsync(context, ProblemKind.PayloadTooLarge, "payload too large: send files with PUT /files?path="),
            BadHttpRequestException bad => ProblemAnswer.WriteAsync(context, bad.StatusCode, Problem.Of(ProblemKind.InvalidInput).Code, bad.Message),
            OperationCanceledException => ProblemAnswer.WriteAsync(context, ProblemKind.Unavailable, "unavailable: the server is stopping; try again"),
            _ => ProblemAnswer.WriteAsync(
                context, ProblemKind.Internal, $"internal error: the server's log has the cause under request id {context.TraceIdentifier}"),
        };
    }

    /// <summary>Forgets the answer that was begun, but for what the guards have decided: without it a browser hides the error from its page.</summary>
    private static void ClearAnswer(HttpResponse response)
    {
        StringValues[] kept = [.. Kept.Select(name => response.Headers[name])];
        response.Clear();
        for (int i = 0; i < kept.Length; i++)
            response.Headers[Kept[i]] = kept[i];
    }

    [LoggerMessage(EventName = "request.failed", Level = LogLevel.Error, Message = "{Method} failed request_id={RequestId}")]
    private partial void Failed(Exception cause, string method, string requestId);

    [LoggerMessage(EventName = "request.refused", Level = LogLevel.Debug, Message = "{Method} was refused request_id={RequestId}")]
    private partial void Refused(Exception cause, string method, string requestId);
}
