using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Images;

/// <summary>What comes in by archives, is found, shared, kept while it is used, and goes.</summary>
public sealed class ImageStoreTests : IDisposable
{
    private static readonly byte[] Base = TarBuilder.Of(tar => tar.Directory("bin").File("bin/run", "#!/bin/sh", 0x1ED));
    private static readonly byte[] Top = TarBuilder.Of(tar => tar.File("srv/page", "hello"));

    private readonly string _data = Directory.CreateTempSubdirectory("stacyvm-images-").FullName;
    private ImageStore _store;

    public ImageStoreTests() => _store = Open();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    [Theory]
    [InlineData(Packing.None)]
    [InlineData(Packing.Gzip)]
    [InlineData(Packing.Zstd)]
    public async Task An_archive_of_docker_save_becomes_an_image(Packing packing)
    {
        byte[] archive = ImageMaker.Pack(new ImageMaker((Base, packing), (Top, Packing.None)) { User = "1234" }.DockerArchive("web:1", "web:latest"), packing);
        StoredImage image = Assert.Single(await ImportAsync(archive, null));

        Assert.Equal(["docker.io/library/web:1", "docker.io/library/web:latest"], image.Names);
        Assert.Equal(2, image.Layers.Count);
        Assert.Equal("1234", image.Config.User);
        Assert.Equal("/srv", image.Config.WorkingDirectory);
        Assert.Equal(["/bin/run"], image.Config.Entrypoint);
        Assert.Equal("hello there", image.Config.Environment["GREETING"]);
        Assert.Equal(2, image.Config.Environment.Count);
        Assert.Equal(new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc), image.CreatedAt);
        Assert.Equal("hello", File.ReadAllText(Path.Combine(LayersOf(image)[0], "srv/page")));
    }

    [Fact]
    public async Task An_OCI_layout_becomes_an_image_under_the_name_it_has_or_gets()
    {
        var maker = new ImageMaker((Base, Packing.Gzip), (Top, Packing.Zstd));
        StoredImage own = Assert.Single(await ImportAsync(maker.LayoutArchive("quay.io/team/web:2"), null));
        StoredImage given = Assert.Single(await ImportAsync(maker.LayoutArchive(null), "mine"));

        Assert.Equal(own.Digest, given.Digest);
        Assert.Equal(["docker.io/library/mine:latest", "quay.io/team/web:2"], given.Names);
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(maker.LayoutArchive(null), null));
    }

    [Theory]
    [InlineData(Packing.None)]
    [InlineData(Packing.Gzip)]
    [InlineData(Packing.Zstd)]
    public async Task A_plain_root_becomes_an_image_of_one_layer(Packing packing)
    {
        StoredImage image = Assert.Single(await ImportAsync(ImageMaker.Pack(Base, packing), "plain:1"));
        Assert.Single(image.Layers);
        Assert.Equal("plain:1", image.Title);
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(Base, null));
    }

    [Fact]
    public async Task Images_share_their_layers_and_keep_them_until_the_last_is_gone()
    {
        StoredImage one = Assert.Single(await ImportAsync(new ImageMaker((Base, Packing.Gzip)).DockerArchive("one"), null));
        await ImportAsync(new ImageMaker((Base, Packing.Zstd), (Top, Packing.Gzip)).DockerArchive("two"), null);
        Assert.Equal(2, LayerDirectories().Length);

        _store.Remove("one");
        Assert.Null(_store.Find("one"));
        Assert.True(Directory.Exists(LayersOf(one)[0]));
        _store.Remove("two");
        Assert.Empty(LayerDirectories());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_data, "images/blobs")));
    }

    [Fact]
    public async Task An_image_in_use_stays_also_after_a_restart()
    {
        StoredImage image = Assert.Single(await ImportAsync(new ImageMaker((Base, Packing.Gzip)).DockerArchive("used"), null));
        string sandbox = Directory.CreateDirectory(Path.Combine(_data, "sandboxes/sb-1")).FullName;
        Assert.Equal(LayersOf(image), _store.Use(image, sandbox));

        Reopen();
        StacyVMException problem = await Refused(ProblemKind.Conflict, () => { _store.Remove("used"); return Task.CompletedTask; });
        Assert.Contains("sb-1", problem.Message);
        Assert.Empty(_store.Prune(unnamedOnly: false).Removed);
        Directory.Delete(sandbox, recursive: true);
        (IReadOnlyList<string> removed, long bytes) = _store.Prune(unnamedOnly: false);
        Assert.Equal(["used:latest"], removed);
        Assert.True(bytes > 0);
        Assert.Empty(_store.All);
    }

    [Fact]
    public async Task A_name_moves_to_the_newer_image_and_the_older_goes_with_a_prune()
    {
        await ImportAsync(new ImageMaker((Base, Packing.None)).DockerArchive("app"), null);
        await ImportAsync(new ImageMaker((Top, Packing.None)).DockerArchive("app"), null);
        Assert.Equal(2, _store.All.Count);
        Assert.Single(_store.Prune(unnamedOnly: true).Removed);
        Assert.Equal("app:latest", Assert.Single(_store.All).Title);
    }

    [Fact]
    public async Task One_of_two_names_goes_alone()
    {
        await ImportAsync(new ImageMaker((Base, Packing.None)).DockerArchive("a", "b"), null);
        _store.Remove("a");
        Assert.Null(_store.Find("a"));
        Assert.NotNull(_store.Find("b"));
        await Refused(ProblemKind.NotFound, () => { _store.Remove("a"); return Task.CompletedTask; });
    }

    [Fact]
    public async Task What_is_not_what_it_says_is_refused_and_leaves_nothing()
    {
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(new ImageMaker((Base, Packing.Gzip)) { FalseDiff = ImageMaker.Digest(Top) }.DockerArchive("lie"), null));
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(new ImageMaker((Base, Packing.Gzip)) { Architecture = "s390x" }.DockerArchive("other"), null));
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(new ImageMaker((TarBuilder.Of(tar => tar.File("../x")), Packing.Gzip)).DockerArchive("up"), null));
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(new ImageMaker((Base, Packing.Gzip)).DockerArchive("cut")[..2000], null));
        await Refused(ProblemKind.InvalidInput, () => ImportAsync("not an archive at all"u8.ToArray(), "x"));
        Assert.Empty(_store.All);
        Assert.Empty(LayerDirectories());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_data, "images/drafts")));
    }

    [Fact]
    public async Task A_bomb_ends_at_its_limit()
    {
        _store.Dispose();
        _store = Open(new ImageOptions { MaxBytes = 1_000_000 });
        byte[] bomb = ImageMaker.Pack(TarBuilder.Of(tar => tar.Entry('0', "zeroes", "", new byte[50_000_000], 0x1A4)), Packing.Gzip);
        Assert.True(bomb.Length < 1_000_000);
        await Refused(ProblemKind.InvalidInput, () => ImportAsync(bomb, "bomb"));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_data, "images/drafts")));
    }

    [Fact]
    public async Task What_a_killed_server_left_half_made_goes_at_the_next_start()
    {
        await ImportAsync(new ImageMaker((Base, Packing.None), (Top, Packing.None)).DockerArchive("whole"), null);
        Directory.CreateDirectory(Path.Combine(_data, "images/drafts/draft-0011/etc"));
        File.WriteAllText(Path.Combine(_data, "images/drafts/draft-0022"), "half an archive");
        Reopen();
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_data, "images/drafts")));
        Assert.Single(_store.All);

        // A layer that somebody removed by hand: the image is forgotten rather than started without it.
        Directory.Delete(LayerDirectories()[0], recursive: true);
        Reopen();
        Assert.Empty(_store.All);
    }

    [Fact]
    public async Task What_is_not_here_and_cannot_be_pulled_names_what_is()
    {
        _store.Dispose();
        _store = Open(new ImageOptions { Pull = false });
        await ImportAsync(new ImageMaker((Base, Packing.None)).DockerArchive("here:7"), null);
        StacyVMException problem = await Refused(ProblemKind.InvalidInput, () => _store.EnsureAsync("gone", null, Cancellation));
        Assert.Contains("here:7", problem.Message);
        Assert.Equal("here:7", (await _store.EnsureAsync("docker.io/library/here:7", null, Cancellation)).Title);
    }

    private Task<IReadOnlyList<StoredImage>> ImportAsync(byte[] archive, string? name) => _store.ImportAsync(new MemoryStream(archive), name, null, Cancellation);

    private List<string> LayersOf(StoredImage image) => [.. image.Layers.Reverse().Select(layer => Path.Combine(_data, "images/layers", layer.Hex))];

    private string[] LayerDirectories() => Directory.GetDirectories(Path.Combine(_data, "images/layers"));

    private ImageStore Open(ImageOptions? options = null) => new(_data, options ?? new ImageOptions(), NullLogger<ImageStore>.Instance, TimeProvider.System);

    private void Reopen()
    {
        _store.Dispose();
        _store = Open();
    }

    private static async Task<StacyVMException> Refused(ProblemKind kind, Func<Task> act)
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(act);
        Assert.Equal(kind, problem.Kind);
        return problem;
    }
}
