using System.Net;
using System.Text;
using StacyVM.Server.Json;

namespace StacyVM.Server.Previews;

/// <summary>One sentence to who looked at a preview that is not there: a page for people, the error envelope for programs.</summary>
internal static class PreviewFault
{
    public static Task WriteAsync(HttpContext context, int status, string code, string sentence)
    {
        context.Response.Clear();
        if (!context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            return ProblemAnswer.WriteAsync(context, status, code, sentence);
        byte[] page = Encoding.UTF8.GetBytes(
            $"<!doctype html><meta charset=\"utf-8\"><title>{status}</title><p>{WebUtility.HtmlEncode(sentence)}</p>\n");
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'";
        context.Response.ContentLength = page.Length;
        return context.Response.Body.WriteAsync(page, context.RequestAborted).AsTask();
    }
}
