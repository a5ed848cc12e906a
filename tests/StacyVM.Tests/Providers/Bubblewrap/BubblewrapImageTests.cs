using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Images;
using StacyVM.Tests.Providers.Docker;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>Roots of images: copy-on-write, each sandbox's own, as the image wishes, and none the way out for an image that is hostile.</summary>
public sealed class BubblewrapImageTests : IAsyncLifetime
{
    private BubblewrapRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await BubblewrapRig.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        _rig.Images.Dispose();
    }

    [Fact]
    public async Task A_sandbox_owns_its_whole_root_and_others_see_nothing_of_it()
    {
        TestStore.AddBusybox(_rig.Images);
        ISandbox one = await CreateAsync(TestStore.Busybox), two = await CreateAsync(TestStore.Busybox);
        (int code, string output) = await BubblewrapRig.RunAsync(one, "rm /bin/awk && echo changed >/etc/motd && mkdir /srv && echo x >/srv/x && ls -ld /etc && id -u");
        Assert.True(code == 0, output);
        Assert.EndsWith("1000", output);
        (_, string other) = await BubblewrapRig.RunAsync(two, "ls /bin/awk; cat /etc/motd; ls /srv");
        Assert.Contains("/bin/awk", other);
        Assert.DoesNotContain("changed", other);
        Assert.Equal(TestStore.Busybox, one.Image);
        await one.DestroyAsync(CancellationToken.None);
        await two.DestroyAsync(CancellationToken.None);
        Assert.True(File.Exists(Path.Combine(LayerOf(TestStore.Busybox), "bin/busybox")));
    }

    [Fact]
    public async Task Nothing_is_mounted_on_the_host()
    {
        TestStore.AddBusybox(_rig.Images);
        ISandbox sandbox = await CreateAsync(TestStore.Busybox);
        Assert.DoesNotContain(_rig.Directory, await File.ReadAllTextAsync("/proc/self/mounts", TestContext.Current.CancellationToken));
        await sandbox.DestroyAsync(CancellationToken.None);
        Assert.False(Directory.Exists(_rig.Host.SandboxDirectory(sandbox.Id)));
    }

    [Fact]
    public async Task User_working_directory_and_environment_are_the_images()
    {
        byte[] layer = TarBuilder.Of(tar => tar.Directory("srv").Directory("opt").Directory("opt/app")
            .File("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1234:1235::/opt/app:/bin/sh\n").File("etc/group", "app:x:1235:\n"));
        var maker = new ImageMaker((TestImages.SystemArchive(), Packing.Gzip), (layer, Packing.Gzip)) { User = "app" };
        TestStore.Add(_rig.Images, maker.DockerArchive("mine:1"), null);
        ISandbox sandbox = await CreateAsync("mine:1");
        (_, string output) = await BubblewrapRig.RunAsync(sandbox, "id -un; id -u; id -g; pwd; echo $GREETING; echo $HOME; echo mine >/opt/app/file && cat /opt/app/file");
        Assert.Equal(["app", "1234", "1235", "/srv", "hello there", "/opt/app", "mine"], output.Split('\n'));
    }

    [Fact]
    public async Task Upper_layers_hide_what_they_say()
    {
        byte[] top = TarBuilder.Of(tar => tar.File("etc/.wh.passwd", "").Directory("usr").File("usr/.wh..wh..opq", "").File("usr/new", "x"));
        var maker = new ImageMaker((TestImages.SystemArchive(), Packing.Gzip), (TarBuilder.Of(tar => tar.File("usr/old", "x")), Packing.None), (top, Packing.Zstd));
        TestStore.Add(_rig.Images, maker.DockerArchive("layered:1"), null);
        ISandbox sandbox = await CreateAsync("layered:1");
        (_, string output) = await BubblewrapRig.RunAsync(sandbox, "ls /usr");
        Assert.Equal("new", output);
    }

    [Fact]
    public async Task An_image_may_have_many_layers()
    {
        const int Layers = 130;
        IEnumerable<(byte[], Packing)> tops = Enumerable.Range(0, Layers)
            .Select(i => (TarBuilder.Of(tar => tar.Directory("srv").File($"srv/{i}", "x").File("srv/last", i.ToString(System.Globalization.CultureInfo.InvariantCulture))), Packing.None));
        TestStore.Add(_rig.Images, new ImageMaker([(TestImages.SystemArchive(), Packing.Gzip), .. tops]).DockerArchive("deep:1"), null);
        ISandbox sandbox = await CreateAsync("deep:1");
        Assert.Equal((0, $"{Layers + 1}\n{Layers - 1}"), await BubblewrapRig.RunAsync(sandbox, "ls /srv | wc -l; cat /srv/last"));
        await sandbox.DestroyAsync(CancellationToken.None);
    }

    [Fact]
    public async Task An_image_of_links_leads_nowhere()
    {
        string canary = Path.Combine(_rig.Directory, "canary");
        Directory.CreateDirectory(canary);
        byte[] hostile = TarBuilder.Of(tar =>
        {
            foreach (string name in (string[])["dev", "proc", "run", "sys", "tmp", "workspace"])
                tar.Link(name, name == "run" ? "../../../../../.." + canary : canary);
        });
        byte[] etc = TarBuilder.Of(tar => tar.Link("etc", canary));
        byte[] system = TarBuilder.Of(tar => tar.Entry('0', "bin/busybox", "", File.ReadAllBytes("/bin/busybox"), 0x1ED).Link("bin/sh", "busybox"));
        var maker = new ImageMaker((system, Packing.None), (hostile, Packing.None), (etc, Packing.None)) { User = "0" };
        TestStore.Add(_rig.Images, maker.DockerArchive("hostile:1"), null);
        ISandbox sandbox = await CreateAsync("hostile:1");
        (int code, string output) = await BubblewrapRig.RunAsync(sandbox, "/bin/busybox id -u; /bin/busybox ls -l / /dev/null; echo x >/workspace/x; echo y >/tmp/y");
        Assert.True(code == 0, output);
        Assert.StartsWith("1000", output);
        Assert.Empty(Directory.GetFileSystemEntries(canary));
    }

    [Fact]
    public async Task Layers_cannot_be_changed_by_a_sandbox_that_mounts_and_remounts()
    {
        TestStore.AddBusybox(_rig.Images);
        ISandbox sandbox = await CreateAsync(TestStore.Busybox);
        (_, string output) = await BubblewrapRig.RunAsync(sandbox, "mount -o remount,rw / 2>&1; mount -t tmpfs x /srv 2>&1; unshare -r true 2>&1; echo overwritten >/bin/busybox 2>&1; cat /proc/self/mounts");
        Assert.DoesNotContain("tmpfs /srv", output);
        Assert.Equal(await File.ReadAllBytesAsync("/bin/busybox", TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(Path.Combine(LayerOf(TestStore.Busybox), "bin/busybox"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_image_that_is_not_here_is_named_with_those_that_are_and_leaves_nothing()
    {
        TestStore.AddBusybox(_rig.Images);
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => CreateAsync("nothing:1"));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains(TestStore.Busybox, problem.Message);

        var maker = new ImageMaker((TestImages.SystemArchive(), Packing.None)) { User = "nobody-knows" };
        TestStore.Add(_rig.Images, maker.DockerArchive("odd:1"), null);
        problem = await Assert.ThrowsAsync<StacyVMException>(() => CreateAsync("odd:1"));
        Assert.Contains("nobody-knows", problem.Message);
        Assert.Empty(await _rig.Provider.ListAsync(CancellationToken.None));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_rig.Directory, "sandboxes")));
    }

    private Task<ISandbox> CreateAsync(string image) => _rig.CreateAsync(BubblewrapRig.Spec() with { Image = image });

    private string LayerOf(string image) => Path.Combine(_rig.Directory, "images/layers", _rig.Images.Find(image)!.Layers[0].Hex);
}
