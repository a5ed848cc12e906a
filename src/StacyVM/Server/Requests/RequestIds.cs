using System.Buffers;

namespace StacyVM.Server.Requests;

/// <summary>Gives every request an id: the caller's <c>X-Request-ID</c> when it is short and harmless in a log, else a new one. It is always answered.</summary>
internal static class RequestIds
{
    public const string Header = "X-Request-ID";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Harmless =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@");

    public static Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        string? given = context.Request.Headers[Header];
        string id = given is { Length: > 0 and <= MaxLength } && !given.AsSpan().ContainsAnyExcept(Harmless) ? given : Guid.NewGuid().ToString();
        context.TraceIdentifier = id;
        context.Response.Headers[Header] = id;
        return next(context);
    }
}
