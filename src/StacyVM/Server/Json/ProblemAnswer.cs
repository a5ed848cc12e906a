using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Json;

/// <summary>The one place where a problem becomes an HTTP answer.</summary>
internal static class ProblemAnswer
{
    public static Task WriteAsync(HttpContext context, ProblemKind kind, string message) => WriteAsync(context, Problem.Of(kind), message);

    public static Task WriteAsync(HttpContext context, Problem problem, string message) =>
        WriteAsync(context, problem.Status, problem.Code, message);

    public static Task WriteAsync(HttpContext context, int status, string code, string message)
    {
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        return JsonAnswer.WriteAsync(context, status, new ErrorBody { Code = code, Message = message }, RestJson.Default.ErrorBody);
    }
}
