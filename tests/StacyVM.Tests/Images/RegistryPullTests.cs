using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Images;

/// <summary>Pulls from a real registry on loopback.</summary>
public sealed class RegistryPullTests : IDisposable
{
    private static readonly byte[] Base = TarBuilder.Of(tar => tar.Directory("bin").File("bin/run", "#!/bin/sh", 0x1ED));

    private readonly string _data = Directory.CreateTempSubdirectory("stacyvm-pull-").FullName;
    private readonly Lines _progress = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData(Packing.None)]
    [InlineData(Packing.Gzip)]
    [InlineData(Packing.Zstd)]
    public async Task An_image_comes_whole(Packing packing)
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: false, Cancellation);
        await registry.PushAsync(new ImageMaker((Base, packing), (Top(1), packing)), "team/web:1", Cancellation);
        using ImageStore store = Open(registry);

        StoredImage image = await store.EnsureAsync($"{registry.Host}/team/web:1", _progress, Cancellation);

        Assert.Equal("page 1", File.ReadAllText(Path.Combine(_data, "images/layers", image.Layers[1].Hex, "srv/page")));
        Assert.Contains(_progress.All, line => line.Contains("layer 2 of 2 unpacked"));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_data, "images/drafts")));
    }

    [Fact]
    public async Task Only_layers_that_are_not_here_are_loaded()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: false, Cancellation);
        await registry.PushAsync(new ImageMaker((Base, Packing.Gzip), (Top(1), Packing.Gzip)), "web:1", Cancellation);
        await registry.PushAsync(new ImageMaker((Base, Packing.Gzip), (Top(2), Packing.Gzip)), "web:2", Cancellation);
        using ImageStore store = Open(registry);
        await store.EnsureAsync($"{registry.Host}/web:1", null, Cancellation);
        await store.EnsureAsync($"{registry.Host}/web:2", _progress, Cancellation);
        Assert.Contains(_progress.All, line => line.Contains("layer 1 of 1 unpacked"));
    }

    [Fact]
    public async Task A_tag_that_moved_is_followed_by_a_pull_and_not_by_a_spawn()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: false, Cancellation);
        using ImageStore store = Open(registry);
        string name = $"{registry.Host}/app:latest";
        await registry.PushAsync(new ImageMaker((Top(1), Packing.Gzip)), "app:latest", Cancellation);
        ImageDigest first = (await store.EnsureAsync(name, null, Cancellation)).Digest;
        await registry.PushAsync(new ImageMaker((Top(2), Packing.Gzip)), "app:latest", Cancellation);
        Assert.Equal(first, (await store.EnsureAsync(name, null, Cancellation)).Digest);
        Assert.NotEqual(first, (await store.PullAsync(name, null, Cancellation)).Digest);
    }

    [Fact]
    public async Task A_password_opens_a_private_registry_and_no_error_tells_it()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: true, Cancellation);
        await registry.PushAsync(new ImageMaker((Base, Packing.Gzip)), "secret:1", Cancellation);
        using (ImageStore stranger = Open(registry))
        {
            StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => stranger.EnsureAsync($"{registry.Host}/secret:1", null, Cancellation));
            Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
            Assert.Contains("images.auth_file", problem.Message);
            Assert.DoesNotContain(RegistryProcess.Password, problem.ToString());
        }
        using ImageStore known = Open(registry, options => options with { AuthFile = registry.AuthFile });
        Assert.NotNull(await known.EnsureAsync($"{registry.Host}/secret:1", null, Cancellation));
    }

    [Fact]
    public async Task A_mirror_is_asked_first_and_the_registry_when_it_has_nothing()
    {
        await using RegistryProcess mirror = await RegistryProcess.StartAsync(locked: false, Cancellation);
        await mirror.PushAsync(new ImageMaker((Base, Packing.Gzip)), "library/tool:1", Cancellation);
        using ImageStore store = Open(mirror, options => options with { Mirrors = new Dictionary<string, string> { ["docker.io"] = $"http://127.0.0.1:9 http://{mirror.Host}" } });
        Assert.Equal("tool:1", (await store.EnsureAsync("tool:1", _progress, Cancellation)).Title);
    }

    [Fact]
    public async Task Two_who_want_an_image_at_once_share_one_pull_and_one_that_leaves_does_not_end_it()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: false, Cancellation);
        byte[] large = TarBuilder.Of(tar => tar.Entry('0', "large", "", Noise(8_000_000), 0x1A4));
        await registry.PushAsync(new ImageMaker((large, Packing.None)), "large:1", Cancellation);
        using ImageStore store = Open(registry);
        string name = $"{registry.Host}/large:1";

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<StoredImage> first = store.EnsureAsync(name, null, leaving.Token);
        Task<StoredImage>[] others = [.. Enumerable.Range(0, 8).Select(_ => store.EnsureAsync(name, _progress, Cancellation))];
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Single((await Task.WhenAll(others)).Select(image => image.Digest).Distinct());
    }

    [Fact]
    public async Task What_was_loaded_before_is_gone_on_with_and_held_against_its_digest()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: false, Cancellation);
        byte[] layer = TarBuilder.Of(tar => tar.Entry('0', "large", "", Noise(2_000_000), 0x1A4));
        // Packed here: skopeo packs what is not, and the digest would be another.
        var maker = new ImageMaker((layer, Packing.Gzip));
        byte[] blob = maker.Blobs[0];
        await registry.PushAsync(maker, "large:1", Cancellation);
        using ImageStore store = Open(registry);
        string draft = Path.Combine(_data, "images/drafts/download-" + ImageMaker.Digest(blob)[7..]);

        // A half that is right: the rest is asked for.
        await File.WriteAllBytesAsync(draft, blob[..1_000_000], Cancellation);
        Assert.NotNull(await store.EnsureAsync($"{registry.Host}/large:1", null, Cancellation));
        store.Remove($"{registry.Host}/large:1");
        Assert.Empty(store.All);

        // A half that is wrong: found out, thrown away, and right the next time.
        await File.WriteAllBytesAsync(draft, Noise(1_000_000), Cancellation);
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => store.EnsureAsync($"{registry.Host}/large:1", null, Cancellation));
        Assert.Contains("not what its digest says", problem.Message);
        Assert.NotNull(await store.EnsureAsync($"{registry.Host}/large:1", null, Cancellation));
    }

    [Fact]
    public async Task What_cannot_be_had_says_what_each_host_said()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: false, Cancellation);
        await registry.PushAsync(new ImageMaker((Base, Packing.Gzip)) { Architecture = "s390x" }, "other:1", Cancellation);
        using ImageStore store = Open(registry);
        await FailsAsync(store, $"{registry.Host}/nothing:1", "has no such image");
        await FailsAsync(store, $"{registry.Host}/other:1", "s390x");
        await FailsAsync(store, "127.0.0.1:9/x:1", "cannot be used");
        Assert.Empty(Directory.GetDirectories(Path.Combine(_data, "images/layers")));
    }

    private static async Task FailsAsync(ImageStore store, string name, string because)
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => store.EnsureAsync(name, null, Cancellation));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains(because, problem.Message);
    }

    private static byte[] Top(int number) => TarBuilder.Of(tar => tar.File("srv/page", $"page {number}"));

    private static byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        new Random(length).NextBytes(noise);
        return noise;
    }

    private ImageStore Open(RegistryProcess registry, Func<ImageOptions, ImageOptions>? change = null)
    {
        var options = new ImageOptions { InsecureRegistries = [registry.Host] };
        return new ImageStore(_data, change?.Invoke(options) ?? options, NullLogger<ImageStore>.Instance, TimeProvider.System);
    }

    private sealed class Lines : IProgress<string>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public void Report(string value)
        {
            lock (_lines)
                _lines.Add(value);
        }
    }
}
