using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;

namespace StacyVM.Server.Endpoints;

/// <summary>The store of images for the levels that are built here. Docker has its own.</summary>
internal sealed class ImageEndpoints(ImageStore images, ProviderRegistry providers)
{
    private const string Image =
        """{"digest":"sha256:2f1c6d1b8f0a4e5d9c3b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d","names":["python:3.12"],"size_bytes":1048576,"layers":4,"created_at":"2026-05-01T00:00:00Z","stored_at":"2026-05-04T10:00:00Z","working_dir":"/app","env":["PATH","LANG"],"cmd":["python3"]}""";

    private const string Progress =
        "Send `Accept: application/x-ndjson` to get its progress as lines of JSON; the last line has `images`, or `code` and `message` when it failed.";

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/images", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listImages", "List images", "By name.")
            .AnswersWith(200, RestJson.Default.ListImageInfo, RouteExamples.ListOf(Image)));
        api.MapGet("/images/{name}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getImage", "Inspect an image")
            .Path("name", "Name or digest, a slash in it as `%2F`.", "python:3.12")
            .AnswersWith(200, RestJson.Default.ImageInfo, Image)
            .Fails(ProblemKind.NotFound));
        api.MapPost("/images/pull", PullAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "pullImage", "Pull an image from its registry", "Also when it is here already: a tag may have moved. `from` takes it from a provider's own images instead. " + Progress)
            .Takes(RestJson.Default.ImagePullRequest, """{"image":"python:3.12"}""", "image")
            .AnswersWith(200, RestJson.Default.ListImageInfo, RouteExamples.ListOf(Image))
            .Fails(ProblemKind.StorageFull, ProblemKind.NotFound, ProblemKind.ProviderUnavailable));
        api.MapPost("/images/import", ImportAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "importImage", "Import images from an archive",
            "An archive of `docker save`, an OCI layout, or a plain root file system, as tar, compressed by gzip or zstd or not at all. " + Progress)
            .Query("name", "What to call it; needed for a root file system.", example: "mine:1")
            .TakesBytes("The archive.")
            .AnswersWith(200, RestJson.Default.ListImageInfo, RouteExamples.ListOf(Image))
            .Fails(ProblemKind.StorageFull, ProblemKind.PayloadTooLarge));
        api.MapPost("/images/prune", PruneAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "pruneImages", "Remove images that no sandbox uses")
            .Query("unnamed", "`true`: only those whose last name has moved to another image.", "boolean")
            .AnswersWith(200, RestJson.Default.ImagePruneResult, """{"removed":["old:1"],"freed_bytes":1048576}"""));
        api.MapDelete("/images/{name}", RemoveAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "removeImage", "Remove an image", "Removes the name, and the image with its last one.")
            .Path("name", "Name or digest, a slash in it as `%2F`.", "python:3.12")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"deleted"}""")
            .Fails(ProblemKind.NotFound, ProblemKind.Conflict));
    }

    private Task ListAsync(HttpContext context) => JsonAnswer.OkAsync(context, [.. images.All.Select(Info)], RestJson.Default.ListImageInfo);

    private Task GetAsync(HttpContext context)
    {
        string name = Name(context);
        StoredImage image = images.Find(name) ?? throw new StacyVMException(ProblemKind.NotFound, $"image {name} is not here; GET /images lists what is");
        return JsonAnswer.OkAsync(context, Info(image), RestJson.Default.ImageInfo);
    }

    private async Task PullAsync(HttpContext context)
    {
        ImagePullRequest request = await JsonBody.ReadAsync(context, RestJson.Default.ImagePullRequest);
        if (string.IsNullOrWhiteSpace(request.Image))
            throw Refusal.BadInput("image is required");
        ImageReference.Parse(request.Image);
        if (string.IsNullOrWhiteSpace(request.From))
            await AnswerAsync(context, async (progress, cancellation) => [await images.PullAsync(request.Image, progress, cancellation)]);
        else
            await AnswerAsync(context, (progress, cancellation) => TakeOverAsync(request.From, request.Image, progress, cancellation));
    }

    private async Task<IReadOnlyList<StoredImage>> TakeOverAsync(string from, string image, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (await providers.ResolveAsync(from, cancellation) is not IHoldsImages holder)
            throw Refusal.BadInput($"provider {from} has no images of its own; those that do: {string.Join(", ", providers.All.Where(one => one is IHoldsImages).Select(one => one.Name))}");
        progress?.Report($"taking {image} from {from}");
        await using Stream archive = await holder.ExportImageAsync(image, cancellation);
        return await images.ImportAsync(archive, image, progress, cancellation);
    }

    private Task ImportAsync(HttpContext context)
    {
        context.AllowLongStreams();
        return AnswerAsync(context, (progress, cancellation) => images.ImportAsync(context.Request.Body, context.Query("name"), progress, cancellation));
    }

    private Task PruneAsync(HttpContext context)
    {
        (IReadOnlyList<string> removed, long bytes) = images.Prune(context.Flag("unnamed"));
        return JsonAnswer.OkAsync(context, new ImagePruneResult { Removed = removed, FreedBytes = bytes }, RestJson.Default.ImagePruneResult);
    }

    private Task RemoveAsync(HttpContext context)
    {
        images.Remove(Name(context));
        return JsonAnswer.StatusAsync(context, "deleted");
    }

    private static async Task AnswerAsync(HttpContext context, Func<IProgress<string>?, CancellationToken, Task<IReadOnlyList<StoredImage>>> work)
    {
        if (ProgressLines.AreWanted(context))
        {
            await ProgressLines.WriteAsync(context, async (progress, cancellation) => [.. (await work(progress, cancellation)).Select(Info)]);
            return;
        }
        IReadOnlyList<StoredImage> brought = await work(null, context.RequestAborted);
        await JsonAnswer.OkAsync(context, [.. brought.Select(Info)], RestJson.Default.ListImageInfo);
    }

    private static ImageInfo Info(StoredImage image) => new()
    {
        Digest = image.Digest.ToString(),
        Names = [.. image.Names.Select(name => ImageReference.Parse(name).Familiar)],
        SizeBytes = image.Bytes,
        Layers = image.Layers.Count,
        CreatedAt = image.CreatedAt,
        StoredAt = image.StoredAt,
        User = image.Config.User.Length == 0 ? null : image.Config.User,
        WorkingDir = image.Config.WorkingDirectory.Length == 0 ? null : image.Config.WorkingDirectory,
        // Values may be secrets that somebody has built in.
        Env = image.Config.Environment.Count == 0 ? null : [.. image.Config.Environment.Keys.Order(StringComparer.Ordinal)],
        Entrypoint = image.Config.Entrypoint.Count == 0 ? null : image.Config.Entrypoint,
        Cmd = image.Config.Command.Count == 0 ? null : image.Config.Command,
    };

    /// <summary>A slash arrives still encoded.</summary>
    private static string Name(HttpContext context) =>
        ((string)context.Request.RouteValues["name"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
