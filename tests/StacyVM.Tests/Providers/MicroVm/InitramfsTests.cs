using System.Globalization;
using System.Text;
using StacyVM.Engine.Providers.MicroVm;
using Xunit;

namespace StacyVM.Tests.Providers.MicroVm;

public sealed class InitramfsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-initramfs-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_holds_the_agent_and_the_modules_in_the_order_in_which_they_need_each_other()
    {
        string kernel = Kernel(("virtio_pci", "virtio,virtio_ring"), ("virtio-ring", "virtio"), ("virtio", ""), ("overlay", ""), ("unwanted", ""));
        byte[] archive = Initramfs.Build("the agent"u8.ToArray(), GuestKernel.Find(kernel));
        List<(string Name, uint Mode, string Content)> files = Entries(archive);
        Assert.Equal(["modules", "init", "modules/virtio.ko", "modules/virtio-ring.ko", "modules/virtio_pci.ko", "modules/overlay.ko", "modules/order", "TRAILER!!!"], files.Select(file => file.Name));
        Assert.Equal(("init", 0x81EDu, "the agent"), files[1]);
        Assert.Equal("virtio.ko\nvirtio-ring.ko\nvirtio_pci.ko\noverlay.ko\n", files[^2].Content);
        Assert.Equal(0, archive.Length % 4);
    }

    [Fact]
    public void What_a_module_needs_stands_in_its_own_description()
    {
        Assert.Equal(["virtio", "virtio_ring"], GuestKernel.Dependencies("\u007fELF...\0license=GPL\0depends=virtio,virtio_ring\0retpoline=Y\0"u8));
        Assert.Empty(GuestKernel.Dependencies("\0depends=\0"u8));
        Assert.Empty(GuestKernel.Dependencies("nothing"u8));
    }

    [Fact]
    public void A_kernel_without_its_modules_is_none_and_the_message_says_how_to_get_one()
    {
        string path = Path.Combine(_directory, "vmlinuz-1");
        File.WriteAllText(path, "");
        var problem = Assert.Throws<StacyVM.Protocol.Problems.StacyVMException>(() => GuestKernel.Find(path));
        Assert.Contains("linux-image-cloud-amd64", problem.Message, StringComparison.Ordinal);
    }

    private string Kernel(params (string Name, string Needs)[] modules)
    {
        string kernel = Path.Combine(_directory, "boot", "vmlinuz-6.0");
        string drivers = Path.Combine(_directory, "lib", "modules", "6.0", "kernel", "drivers");
        Directory.CreateDirectory(Path.GetDirectoryName(kernel)!);
        Directory.CreateDirectory(drivers);
        File.WriteAllText(kernel, "");
        foreach ((string name, string needs) in modules)
            File.WriteAllText(Path.Combine(drivers, name + ".ko"), $"\0depends={needs}\0");
        return kernel;
    }

    private static List<(string Name, uint Mode, string Content)> Entries(byte[] archive)
    {
        List<(string, uint, string)> entries = [];
        for (int at = 0; at < archive.Length;)
        {
            Assert.Equal("070701", Encoding.ASCII.GetString(archive, at, 6));
            int length = Field(6), name = Field(11);
            int content = (at + 110 + name + 3) & ~3;
            entries.Add((Encoding.ASCII.GetString(archive, at + 110, name - 1), (uint)Field(1), Encoding.ASCII.GetString(archive, content, length)));
            at = (content + length + 3) & ~3;

            int Field(int number) => int.Parse(archive.AsSpan(at + 6 + (number * 8), 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        return entries;
    }
}
