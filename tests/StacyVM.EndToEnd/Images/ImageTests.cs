using System.Text.Json;
using StacyVM.EndToEnd.Server;
using StacyVM.Tests.Images;
using StacyVM.Tests.Providers.Docker;
using Xunit;

namespace StacyVM.EndToEnd.Images;

/// <summary>Images of the published binary: from a real registry and from an archive into sandboxes, and out again.</summary>
public sealed class ImageTests
{
    private static readonly byte[] Page = TarBuilder.Of(tar => tar.Directory("srv").File("srv/page", "from the image\n"));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_is_pulled_with_progress_runs_and_stays_while_it_is_used_also_over_a_kill()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync(locked: true, Cancellation);
        await registry.PushAsync(new ImageMaker((TestImages.SystemArchive(), Packing.Gzip), (Page, Packing.Zstd)), "team/web:1", Cancellation);
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new()
        {
            ["STACYVM_IMAGES_INSECURE_REGISTRIES"] = registry.Host,
            ["STACYVM_IMAGES_AUTH_FILE"] = registry.AuthFile,
        });
        string name = $"{registry.Host}/team/web:1";

        StacyCli.Outcome pulled = await StacyCli.RunAsync(server, "image", "pull", name);
        Assert.True(pulled.Code == 0, pulled.Error);
        Assert.Contains("layer 2 of 2 unpacked", pulled.Error);
        Assert.Contains(name, pulled.Out);

        string id = (await StacyCli.RunAsync(server, "spawn", "--quiet", "--image", name)).Out.Trim();
        StacyCli.Outcome ran = await StacyCli.RunAsync(server, "exec", id, "--", "sh", "-c", "cat /srv/page; id -u; echo mine >/srv/page; pwd; echo $GREETING");
        Assert.Equal("from the image\n1000\n/srv\nhello there\n", ran.Out);

        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal("mine\n", (await StacyCli.RunAsync(server, "exec", id, "--", "cat", "/srv/page")).Out);
        StacyCli.Outcome refused = await StacyCli.RunAsync(server, "image", "rm", name);
        Assert.Equal(5, refused.Code);
        Assert.Contains(id, refused.Error);

        await StacyCli.RunAsync(server, "kill", id);
        Assert.Equal(0, (await StacyCli.RunAsync(server, "image", "rm", name)).Code);
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.DataDirectory, "images/layers")));
    }

    [Fact]
    public async Task An_archive_is_imported_and_what_is_not_here_is_a_clear_error()
    {
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_IMAGES_PULL"] = "false" });
        string archive = Path.Combine(server.DataDirectory, "root.tar.gz");
        await File.WriteAllBytesAsync(archive, ImageMaker.Pack(TestImages.SystemArchive(), Packing.Gzip), Cancellation);

        StacyCli.Outcome imported = await StacyCli.RunAsync(server, "image", "import", archive, "--name", "small:1", "--json");
        Assert.True(imported.Code == 0, imported.Error);
        Assert.Equal("small:1", JsonDocument.Parse(imported.Out).RootElement[0].GetProperty("names")[0].GetString());
        StacyCli.Outcome missing = await StacyCli.RunAsync(server, "spawn", "--image", "python:3.12");
        Assert.Equal(2, missing.Code);
        Assert.Contains("small:1", missing.Error);
        StacyCli.Outcome nonsense = await StacyCli.RunAsync(server, "image", "import", typeof(ImageTests).Assembly.Location, "--name", "nonsense:1");
        Assert.Equal(2, nonsense.Code);
        Assert.Equal("small:1", JsonDocument.Parse((await StacyCli.RunAsync(server, "image", "prune", "--json")).Out).RootElement.GetProperty("removed")[0].GetString());
        File.Delete(archive);
    }
}
