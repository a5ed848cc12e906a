using System.Text.Json;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class StacyClient
{
    /// <summary>The images in the server's store, by name. Those of a Docker engine are not among them.</summary>
    public async Task<IReadOnlyList<ImageInfo>> ImagesAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("images", RestJson.Default.ListImageInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>One image, by name or digest.</summary>
    /// <exception cref="NotFoundException">It is not in the store.</exception>
    public Task<ImageInfo> ImageAsync(string name, CancellationToken cancellation = default) =>
        _connection.GetAsync(ImagePath(name), RestJson.Default.ImageInfo, null, cancellation);

    /// <summary>Pulls an image from its registry, also when it is in the store: a tag may have moved.</summary>
    /// <param name="name">E.g. <c>python:3.12</c>.</param>
    /// <param name="progress">Sentences about what is done.</param>
    /// <param name="from">Provider whose own image is taken over instead of asking a registry: <c>docker</c>.</param>
    /// <param name="cancellation">Abandons the pull; the next one goes on from there.</param>
    /// <exception cref="ServerException">InvalidInput, with what each registry said; StorageFull.</exception>
    public async Task<ImageInfo> PullImageAsync(string name, IProgress<string>? progress = null, string? from = null, CancellationToken cancellation = default)
    {
        HttpContent body = ApiCall.Json(new ImagePullRequest { Image = name, From = from }, RestJson.Default.ImagePullRequest);
        return (await BringAsync("images/pull", body, progress, cancellation).ConfigureAwait(false))[0];
    }

    /// <summary>Imports images from an archive of <c>docker save</c>, an OCI layout or a plain root file system.</summary>
    /// <param name="archive">A tar, compressed by gzip or zstd or not at all; read to its end.</param>
    /// <param name="name">What to call it; needed for a root file system, and only for archives of one image.</param>
    /// <param name="progress">Sentences about what is done.</param>
    /// <param name="cancellation">Abandons it; nothing stays behind.</param>
    /// <exception cref="ServerException">InvalidInput, PayloadTooLarge, StorageFull.</exception>
    public Task<IReadOnlyList<ImageInfo>> ImportImageAsync(
        Stream archive, string? name = null, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        var body = new StreamContent(archive, 128 * 1024);
        body.Headers.ContentType = new("application/octet-stream");
        return BringAsync(name is null ? "images/import" : "images/import?name=" + Uri.EscapeDataString(name), body, progress, cancellation);
    }

    /// <summary>Removes a name, and the image with its last one.</summary>
    /// <exception cref="NotFoundException">It is not in the store.</exception>
    /// <exception cref="ServerException">Conflict while a sandbox uses it.</exception>
    public Task RemoveImageAsync(string name, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Delete, ImagePath(name)) { Unhurried = true }, RestJson.Default.StatusBody, cancellation);

    /// <summary>Removes the images that no sandbox uses.</summary>
    /// <param name="unnamedOnly">Only those whose last name has moved to another image.</param>
    /// <param name="cancellation">Abandons the waiting.</param>
    public Task<ImagePruneResult> PruneImagesAsync(bool unnamedOnly = false, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            new ApiCall(HttpMethod.Post, unnamedOnly ? "images/prune?unnamed=true" : "images/prune") { Unhurried = true }, RestJson.Default.ImagePruneResult, cancellation);

    private async Task<IReadOnlyList<ImageInfo>> BringAsync(string path, HttpContent body, IProgress<string>? progress, CancellationToken cancellation)
    {
        var call = new ApiCall(HttpMethod.Post, path) { Content = body, Unhurried = true, Headers = [new("Accept", "application/x-ndjson")] };
        using HttpResponseMessage response = await _connection.SendAsync(call, cancellation).ConfigureAwait(false);
        using Stream lines = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var reader = new StreamReader(lines);
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } text)
        {
            if (text.Length == 0)
                continue;
            ImageProgress line = JsonSerializer.Deserialize(text, RestJson.Default.ImageProgress)!;
            if (line.Images is { } images)
                return images;
            if (line.Code is { } code)
                throw ErrorTranslation.ToException(0, code, line.Message ?? "", null, null);
            progress?.Report(line.Message ?? "");
        }
        throw new ConnectionException($"{BaseUrl} ended before the image was there; ask again, it goes on from where it was");
    }

    private static string ImagePath(string name) => "images/" + Uri.EscapeDataString(name);
}
