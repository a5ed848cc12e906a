using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Providers.Docker;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

public sealed class DockerImagesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_that_is_there_is_not_pulled()
    {
        await using FakeEngine engine = await FakeEngine.StartAsync("here:1");
        using DockerDaemon daemon = Daemon(engine);

        DockerImage image = await Images(daemon).EnsureAsync("here:1", null, Cancellation);

        Assert.True(image.NamesHome);
        Assert.Equal(0, engine.Pulls);
    }

    [Fact]
    public async Task Creates_that_need_the_same_image_share_one_pull_and_all_hear_its_progress()
    {
        await using FakeEngine engine = await FakeEngine.StartAsync();
        using DockerDaemon daemon = Daemon(engine);
        DockerImages images = Images(daemon);
        var heard = new Heard();

        Task<DockerImage> first = images.EnsureAsync("registry.test/some/app:1", heard, Cancellation);
        await engine.PullBegan.Task.WaitAsync(Cancellation);
        Task<DockerImage>[] others = [.. Enumerable.Range(0, 4).Select(_ => images.EnsureAsync("registry.test/some/app:1", null, Cancellation))];
        engine.PullSucceeds();
        await Task.WhenAll([first, .. others]);

        Assert.Equal(1, engine.Pulls);
        Assert.Contains(heard.Lines, line => line.Contains("layer aaa ready (1 of", StringComparison.Ordinal));
        Assert.DoesNotContain(heard.Lines, line => line.Contains("Downloading", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pull_goes_on_while_somebody_waits_and_ends_with_the_last()
    {
        await using FakeEngine engine = await FakeEngine.StartAsync();
        using DockerDaemon daemon = Daemon(engine);
        DockerImages images = Images(daemon);
        using var one = new CancellationTokenSource();
        using var two = new CancellationTokenSource();

        Task<DockerImage> first = images.EnsureAsync("app:1", null, one.Token);
        await engine.PullBegan.Task.WaitAsync(Cancellation);
        Task<DockerImage> second = images.EnsureAsync("app:1", null, two.Token);
        await one.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(engine.PullAbandoned.Task.IsCompleted);
        await two.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        await engine.PullAbandoned.Task.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task A_pull_that_fails_half_way_names_the_reason_and_the_images_that_are_there()
    {
        await using FakeEngine engine = await FakeEngine.StartAsync("here:1", "there:2");
        using DockerDaemon daemon = Daemon(engine);

        Task<DockerImage> pull = Images(daemon).EnsureAsync("app:1", null, Cancellation);
        engine.PullFails("manifest unknown");
        StacyVMException failure = await Assert.ThrowsAsync<StacyVMException>(() => pull);

        Assert.Equal(ProblemKind.InvalidInput, failure.Kind);
        Assert.Contains("manifest unknown", failure.Message);
        Assert.Contains("here:1, there:2", failure.Message);
    }

    [Fact]
    public async Task A_daemon_that_cannot_be_reached_is_named()
    {
        using var daemon = new DockerDaemon(DockerEndpoint.Resolve("unix:///nonexistent/docker.sock", _ => null));

        StacyVMException failure = await Assert.ThrowsAsync<StacyVMException>(() => Images(daemon).ListAsync(Cancellation));

        Assert.Equal(ProblemKind.ProviderUnavailable, failure.Kind);
        Assert.Contains("unix:///nonexistent/docker.sock", failure.Message);
    }

    private static DockerDaemon Daemon(FakeEngine engine) => new(DockerEndpoint.Resolve(engine.Socket, _ => null));

    private static DockerImages Images(DockerDaemon daemon) => new(daemon, NullLogger.Instance);

    private sealed class Heard : IProgress<string>
    {
        public List<string> Lines { get; } = [];

        public void Report(string value) => Lines.Add(value);
    }
}
