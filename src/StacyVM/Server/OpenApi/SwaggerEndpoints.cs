using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using StacyVM.Server.Json;
using StacyVM.Server.Security;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace StacyVM.Server.OpenApi;

/// <summary>
/// The OpenAPI document and a page on which one can read it and try the calls. All of it is in the binary: nothing is fetched from elsewhere,
/// and a content policy keeps it so. Keys that are typed into the page stay in its memory.
/// </summary>
internal sealed class SwaggerEndpoints(Func<IEnumerable<Endpoint>> endpoints)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Page = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>StacyVM API</title>
        <link rel="stylesheet" href="/swagger/swagger-ui.css">
        <link rel="icon" type="image/png" href="/swagger/favicon-32x32.png">
        </head>
        <body>
        <noscript>This page needs JavaScript; the document itself is at <a href="/swagger/doc.json">/swagger/doc.json</a>.</noscript>
        <div id="page"></div>
        <script src="/swagger/swagger-ui-bundle.js"></script>
        <script src="/swagger/start.js"></script>
        </body>
        </html>

        """;

    private const string Script = """
        SwaggerUIBundle({
          url: "/swagger/doc.json",
          dom_id: "#page",
          deepLinking: true,
          docExpansion: "list",
          defaultModelsExpandDepth: 0,
          displayRequestDuration: true,
          filter: true,
          tryItOutEnabled: true,
          validatorUrl: null,
        });

        """;

    private readonly Lazy<byte[]> _document = new(() => Line(OpenApiDocument.Of(endpoints())));

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/swagger/doc.json", DocumentAsync).OpenToAll();
        app.MapGet("/swagger", context => TextAsync(context, "text/html; charset=utf-8", Page)).OpenToAll();
        app.MapGet("/swagger/index.html", context => TextAsync(context, "text/html; charset=utf-8", Page)).OpenToAll();
        app.MapGet("/swagger/start.js", context => TextAsync(context, "text/javascript; charset=utf-8", Script)).OpenToAll();
        app.MapGet("/swagger/swagger-ui-bundle.js", context => PackedAsync(context, "text/javascript; charset=utf-8", "swagger-ui-bundle.js")).OpenToAll();
        app.MapGet("/swagger/swagger-ui.css", context => PackedAsync(context, "text/css; charset=utf-8", "swagger-ui.css")).OpenToAll();
        app.MapGet("/swagger/favicon-32x32.png", context => PackedAsync(context, "image/png", "favicon-32x32.png")).OpenToAll();
    }

    private async Task DocumentAsync(HttpContext context)
    {
        JsonAnswer.Describe(context.Response);
        context.Response.ContentLength = _document.Value.Length;
        await context.Response.Body.WriteAsync(_document.Value, context.RequestAborted);
    }

    private static Task TextAsync(HttpContext context, string contentType, string text)
    {
        Describe(context.Response, contentType);
        context.Response.Headers.ContentSecurityPolicy = Policy;
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>The package keeps its files packed, which is how browsers want them anyway.</summary>
    private static async Task PackedAsync(HttpContext context, string contentType, string file)
    {
        await using Stream packed = typeof(SwaggerUIOptions).Assembly.GetManifestResourceStream("Swashbuckle.AspNetCore.SwaggerUI.node_modules.swagger_ui_dist." + file)
            ?? throw new InvalidOperationException($"the file {file} is missing from the build");
        Describe(context.Response, contentType);
        context.Response.Headers.CacheControl = "max-age=3600";
        context.Response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.ContentEncoding = "gzip";
            context.Response.ContentLength = packed.Length;
            await packed.CopyToAsync(context.Response.Body, context.RequestAborted);
            return;
        }
        await using var plain = new GZipStream(packed, CompressionMode.Decompress);
        await plain.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static void Describe(HttpResponse response, string contentType)
    {
        response.ContentType = contentType;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
    }

    private static byte[] Line(JsonObject document)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonAnswer.WriterOptions))
            document.WriteTo(writer);
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }
}
