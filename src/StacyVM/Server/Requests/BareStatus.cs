using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;

namespace StacyVM.Server.Requests;

/// <summary>Gives the framework's own answers without a body (404, 405) the error envelope.</summary>
internal static class BareStatus
{
    public static async Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        HttpResponse response = context.Response;
        if (response.HasStarted || response.ContentLength is not null || response.ContentType is not null || response.StatusCode < 400)
            return;
        await (response.StatusCode switch
        {
            StatusCodes.Status404NotFound =>
                ProblemAnswer.WriteAsync(context, ProblemKind.NotFound, "not found: there is nothing at this path; the API is below /api/v1"),
            StatusCodes.Status405MethodNotAllowed =>
                ProblemAnswer.WriteAsync(context, ProblemKind.MethodNotAllowed, $"method not allowed: this path takes {response.Headers.Allow}"),
            var status => ProblemAnswer.WriteAsync(context, status, Problem.Of(ProblemKind.InvalidInput).Code, "the request cannot be handled"),
        });
    }
}
