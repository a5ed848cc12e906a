using System.Formats.Tar;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Environments;

/// <summary>
/// The Docker engine that builds. An engine that cannot be reached, and one that says no, become a <see cref="StacyVMException"/> with its sentence.
/// </summary>
/// <param name="address">Where it listens; asked for each time, as it may be missing from the configuration.</param>
internal sealed class BuildEngine(Func<Uri> address)
{
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(15);

    /// <summary>Builds an image of a recipe alone: the context holds nothing of this machine.</summary>
    /// <param name="dockerfile">The recipe.</param>
    /// <param name="name">What the image is called.</param>
    /// <param name="line">Gets what the engine says.</param>
    /// <param name="cancellation">Ends the build on the engine too, which watches the request.</param>
    public Task BuildAsync(string dockerfile, string name, Action<string> line, CancellationToken cancellation) => CallAsync(
        async client =>
        {
            var messages = new EngineMessages(line);
            await client.Images.BuildImageFromDockerfileAsync(
                new ImageBuildParameters { Tags = [name], Dockerfile = "Dockerfile", Remove = true, ForceRemove = true },
                Context(dockerfile), [], new Dictionary<string, string>(), messages, cancellation);
            messages.ThrowOnFailure();
        },
        cancellation);

    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task<ImageInspectResponse> InspectAsync(string name, CancellationToken cancellation)
    {
        ImageInspectResponse? image = null;
        await CallAsync(async client => image = await client.Images.InspectImageAsync(name, cancellation), cancellation);
        return image!;
    }

    public Task TagAsync(string name, string repository, string tag, CancellationToken cancellation) => CallAsync(
        client => client.Images.TagImageAsync(name, new ImageTagParameters { RepositoryName = repository, Tag = tag }, cancellation), cancellation);

    /// <summary>Takes a name away from an image that has others.</summary>
    public Task UntagAsync(string name, CancellationToken cancellation) => CallAsync(
        client => client.Images.DeleteImageAsync(name, new ImageDeleteParameters { NoPrune = true }, cancellation), cancellation);

    /// <summary>Sends an image to its registry. The login travels in the header of this one request.</summary>
    public Task PushAsync(string repository, string tag, RegistryLogin login, Action<string> line, CancellationToken cancellation) => CallAsync(
        async client =>
        {
            var messages = new EngineMessages(text => line(login.Hide(text)), login.Hide);
            await client.Images.PushImageAsync(
                repository,
                new ImagePushParameters { Tag = tag },
                new AuthConfig { Username = login.Username, Password = login.Secret, ServerAddress = login.Server },
                messages,
                cancellation);
            messages.ThrowOnFailure();
        },
        cancellation);

    /// <summary>Removes what a build has left: containers of its steps, its image and its layers.</summary>
    /// <returns>False when something is still there, as the engine is ending it.</returns>
    public async Task<bool> CleanAsync(string buildId, CancellationToken cancellation)
    {
        bool clean = false;
        await CallAsync(
            async client =>
            {
                IDictionary<string, IDictionary<string, bool>> ours = new Dictionary<string, IDictionary<string, bool>>
                {
                    ["label"] = new Dictionary<string, bool> { [$"{Dockerfile.Label}={buildId}"] = true },
                };
                IList<ContainerListResponse> containers = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = ours }, cancellation);
                foreach (ContainerListResponse container in containers)
                    await TryAsync(() => client.Containers.RemoveContainerAsync(container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, cancellation));
                IList<ImagesListResponse> images = await client.Images.ListImagesAsync(new ImagesListParameters { Filters = ours }, cancellation);
                foreach (ImagesListResponse image in images)
                    await TryAsync(() => client.Images.DeleteImageAsync(image.ID, new ImageDeleteParameters { Force = true }, cancellation));
                clean = containers.Count + images.Count == 0;
            },
            cancellation);
        return clean;
    }

    private async Task CallAsync(Func<DockerClient, Task> call, CancellationToken cancellation)
    {
        Uri endpoint;
        try
        {
            endpoint = address();
        }
        catch (FormatException e)
        {
            throw Unreachable(e.Message, e);
        }
        try
        {
            // Its own connections for each call, closed with it: an engine that goes on with an abandoned request would keep one in use.
            using DockerClient client = new DockerClientBuilder().WithEndpoint(endpoint).WithTimeout(Timeout.InfiniteTimeSpan).Build();
            await PingAsync(client, endpoint, cancellation);
            await call(client);
        }
        catch (DockerApiException e)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new StacyVMException(e.StatusCode == System.Net.HttpStatusCode.NotFound ? ProblemKind.NotFound : ProblemKind.Unavailable, $"the Docker engine says: {SentenceOf(e)}", e);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or TimeoutException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Unreachable($"{endpoint} cannot be reached: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>The call itself lasts as long as it must; an engine that hangs is found out before.</summary>
    private static async Task PingAsync(DockerClient client, Uri endpoint, CancellationToken cancellation)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(Quick);
        try
        {
            await client.System.PingAsync(limited.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw Unreachable($"{endpoint} did not answer within {Quick.TotalSeconds:0} s", e);
        }
    }

    /// <summary>What is gone or still in use is looked at again by the caller.</summary>
    private static async Task TryAsync(Func<Task> removal)
    {
        try
        {
            await removal();
        }
        catch (DockerApiException)
        {
        }
    }

    private static MemoryStream Context(string dockerfile)
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "Dockerfile")
            {
                Mode = UnixFileMode.UserRead,
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(dockerfile)),
            });
        }
        tar.Position = 0;
        return tar;
    }

    private static string SentenceOf(DockerApiException failure)
    {
        try
        {
            using var body = JsonDocument.Parse(failure.ResponseBody ?? "");
            if (body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("message", out JsonElement message))
                return message.GetString()?.Trim() ?? "";
        }
        catch (JsonException)
        {
            // A proxy in between answers in its own words.
        }
        return $"status {(int)failure.StatusCode}";
    }

    private static StacyVMException Unreachable(string what, Exception cause) =>
        new(ProblemKind.Unavailable, $"builds need a Docker engine, and {what}; start it, or set providers.docker.socket", cause);
}
