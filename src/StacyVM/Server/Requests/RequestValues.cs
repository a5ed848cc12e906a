using System.Text;
using Microsoft.AspNetCore.Http.Features;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;

namespace StacyVM.Server.Requests;

/// <summary>Values of a request's address, checked.</summary>
internal static class RequestValues
{
    private const int MaxPathBytes = 4096;

    /// <summary>The sandbox id in the path. Never a file name: it is only looked up.</summary>
    public static string SandboxId(this HttpContext context) => (string)context.Request.RouteValues["id"]!;

    /// <summary>
    /// The template name in the path. The server's own decoding leaves an encoded slash as it is, so that it does not become a step in the path;
    /// no name has a percent sign, so nothing else can be meant by it.
    /// </summary>
    public static string TemplateName(this HttpContext context) =>
        ((string)context.Request.RouteValues["name"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    public static uint ProcessNumber(this HttpContext context)
    {
        string text = (string)context.Request.RouteValues["process"]!;
        return uint.TryParse(text, System.Globalization.NumberStyles.None, null, out uint number)
            ? number
            : throw new StacyVMException(ProblemKind.NotFound, $"no process \"{Shorten(text)}\": processes have numbers");
    }

    public static string? Query(this HttpContext context, string name) => context.Request.Query.TryGetValue(name, out var values) ? values[0] : null;

    /// <summary>True only for exactly <c>true</c>.</summary>
    public static bool Flag(this HttpContext context, string name) => context.Query(name) == "true";

    /// <summary>Whose things are asked for.</summary>
    public static string RequiredOwner(this HttpContext context) =>
        context.Query("owner_id") is { } owner && !string.IsNullOrWhiteSpace(owner) ? owner : throw Refusal.BadInput("owner_id query parameter required");

    public static string RequiredPath(this HttpContext context, string name)
    {
        string? value = context.Query(name);
        return string.IsNullOrWhiteSpace(value) ? throw Refusal.BadInput($"{name} query parameter required") : CheckedPath(value, name);
    }

    /// <summary>What no file system takes is refused here, the same for every provider.</summary>
    public static string CheckedPath(string? path, string name)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new StacyVMException(ProblemKind.InvalidInput, $"{name} is required");
        if (path.Contains('\0'))
            throw new StacyVMException(ProblemKind.InvalidInput, $"{name} contains a NUL character");
        if (Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{name} is longer than {MaxPathBytes} bytes");
        return path;
    }

    /// <summary>Octal text such as <c>0644</c> or <c>755</c>; null for none.</summary>
    public static uint? FileMode(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        uint mode = 0;
        foreach (char digit in text)
        {
            if (digit is < '0' or > '7' || (mode = mode * 8 + digit - '0') > 0xFFF)
                throw new StacyVMException(ProblemKind.InvalidInput, $"mode \"{Shorten(text)}\" is not an octal mode such as 0644");
        }
        return mode;
    }

    /// <summary>For bodies and answers that may take any time: no least rate and, for bodies, no bound of size.</summary>
    public static void AllowLongStreams(this HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>() is { } requestRate)
            requestRate.MinDataRate = null;
        if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinResponseDataRateFeature>() is { } responseRate)
            responseRate.MinDataRate = null;
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "…");
}
