using System.Collections.Concurrent;
using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Images;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>The daemon's images: asked for once and remembered until the daemon says otherwise, pulled when missing.</summary>
internal sealed class DockerImages(DockerDaemon daemon, ILogger logger)
{
    private const int NamedInErrors = 10;

    private readonly ConcurrentDictionary<string, DockerImage> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SharedPull<bool>> _pulls = new(StringComparer.Ordinal);

    /// <summary>An image that is there, pulled if need be.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> when it cannot be had, naming those that can.</exception>
    public async Task<DockerImage> EnsureAsync(string image, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (await FindAsync(image, cancellation).ConfigureAwait(false) is { } present)
            return present;
        await PullAsync(image, progress, cancellation).ConfigureAwait(false);
        return await FindAsync(image, cancellation).ConfigureAwait(false)
            ?? throw await CannotHaveAsync(image, "it was pulled and then removed", cancellation).ConfigureAwait(false);
    }

    /// <summary>The daemon did not know it after all.</summary>
    public void Forget(string image) => _known.TryRemove(image, out _);

    /// <summary>Names of the images that are there, sorted.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellation)
    {
        IList<ImagesListResponse> images = await daemon.QuickAsync(
            (client, limited) => client.Images.ListImagesAsync(new ImagesListParameters(), limited), cancellation).ConfigureAwait(false);
        return [.. images
            .SelectMany(image => image.RepoTags ?? [])
            .Where(name => name != "<none>:<none>" && !name.StartsWith(DockerProof.ImagePrefix, StringComparison.Ordinal) && !name.StartsWith(DockerCheckpoints.Repository, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
    }

    /// <returns>Null when it is not there.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for what is no image name.</exception>
    public async Task<DockerImage?> FindAsync(string image, CancellationToken cancellation)
    {
        if (_known.TryGetValue(image, out DockerImage? known))
            return known;
        try
        {
            ImageInspectResponse found = await daemon.QuickAsync(
                (client, limited) => client.Images.InspectImageAsync(image, limited), cancellation).ConfigureAwait(false);
            bool namesHome = (found.Config?.Env ?? []).Any(variable => variable.StartsWith("HOME=", StringComparison.Ordinal));
            return _known[image] = new DockerImage(image, namesHome);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
        {
            return null;
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.BadRequest))
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"'{image}' is not an image name: {DockerDaemon.Message(e)}", e);
        }
    }

    /// <summary>An image as an archive; of the form of <c>docker save</c>.</summary>
    public async Task<Stream> ExportAsync(string image, CancellationToken cancellation)
    {
        if (await FindAsync(image, cancellation).ConfigureAwait(false) is null)
            throw new StacyVMException(ProblemKind.NotFound, $"image '{image}' is not on the Docker daemon at {daemon.Endpoint}; docker images lists what is");
        return await daemon.LongAsync((client, limited) => client.Images.SaveImageAsync(image, limited), cancellation).ConfigureAwait(false);
    }

    private async Task PullAsync(string image, IProgress<string>? progress, CancellationToken cancellation)
    {
        SharedPull<bool> pull;
        while (true)
        {
            pull = _pulls.GetOrAdd(image, name => new SharedPull<bool>((report, abandoned) => PullOnceAsync(name, new PullSentences(name, report), abandoned), Ended));
            if (pull.TryJoin(progress))
                break;
            Ended(pull);
        }
        await pull.WaitAsync(progress, cancellation).ConfigureAwait(false);

        void Ended(SharedPull<bool> over) => _pulls.TryRemove(KeyValuePair.Create(image, over));
    }

    private async Task<bool> PullOnceAsync(string image, IProgress<JSONMessage> progress, CancellationToken cancellation)
    {
        DockerLog.PullStarted(logger, image);
        var failure = new PullFailure(progress);
        string? reason;
        try
        {
            await daemon.LongAsync(
                async (client, limited) =>
                {
                    (string name, string tag) = SplitTag(image);
                    await client.Images.CreateImageAsync(
                        new ImagesCreateParameters { FromImage = name, Tag = tag }, authConfig: null!, failure, limited).ConfigureAwait(false);
                    return true;
                },
                cancellation).ConfigureAwait(false);
            reason = failure.Reason;
        }
        catch (DockerApiException e)
        {
            reason = DockerDaemon.Message(e);
        }
        if (reason is not null)
            throw await CannotHaveAsync(image, reason, cancellation).ConfigureAwait(false);
        DockerLog.PullEnded(logger, image);
        return true;
    }

    private async Task<StacyVMException> CannotHaveAsync(string image, string reason, CancellationToken cancellation)
    {
        IReadOnlyList<string> there = await ListAsync(cancellation).ConfigureAwait(false);
        string names = there.Count == 0
            ? "the daemon has no image at all; docker pull or docker load one"
            : $"images that are there: {string.Join(", ", there.Take(NamedInErrors))}{(there.Count > NamedInErrors ? $" and {there.Count - NamedInErrors} more" : "")}";
        return new StacyVMException(ProblemKind.InvalidInput, $"image '{image}' is not on the Docker daemon and cannot be pulled ({reason}); {names}");
    }

    /// <summary>Without a tag the API would pull every tag of the repository.</summary>
    private static (string Name, string Tag) SplitTag(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
            return (image, "");
        int colon = image.LastIndexOf(':');
        return colon > image.LastIndexOf('/') ? (image[..colon], image[(colon + 1)..]) : (image, "latest");
    }

    /// <summary>A pull that fails half-way answers 200 and says so in its last message.</summary>
    private sealed class PullFailure(IProgress<JSONMessage> next) : IProgress<JSONMessage>
    {
        public string? Reason { get; private set; }

        public void Report(JSONMessage value)
        {
            if (!string.IsNullOrEmpty(value.Error?.Message))
                Reason = value.Error.Message;
            next.Report(value);
        }
    }
}

/// <summary>What a create needs to know of an image.</summary>
/// <param name="Name">As it was asked for.</param>
/// <param name="NamesHome">It sets HOME itself.</param>
internal sealed record DockerImage(string Name, bool NamesHome);
