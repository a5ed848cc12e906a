using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Providers.MicroVm;
using StacyVM.Engine.Providers.MicroVm.Qemu;
using StacyVM.Tests.Providers.Docker;

namespace StacyVM.Tests.Providers.MicroVm.Qemu;

/// <summary>
/// What tests of real machines share. An emulated start takes seconds: started machines are kept for the whole run, so that most tests go on
/// from one.
/// </summary>
internal static class QemuSite
{
    private static readonly Lazy<byte[]> System = new(TestImages.SystemArchive);
    private static readonly Lazy<string> TemplateFolder = new(MakeTemplateFolder);

    /// <summary>Emulated everywhere: what one machine sees, all see.</summary>
    private static readonly QemuOptions Options = new() { Enabled = true, Accel = "tcg" };

    /// <summary>Null when machines can be run here.</summary>
    public static string? Missing
    {
        get
        {
            if (ProgramFile.Locate(Options.QemuPath) is null)
                return "QEMU is not installed: apt-get install qemu-system-x86";
            return Directory.Exists("/boot") && Directory.EnumerateFiles("/boot", "vmlinuz-*").Any() ? null : "there is no guest kernel: apt-get install linux-image-cloud-amd64";
        }
    }

    public static MicroVmProvider Provider(AgentHost host, bool ownTemplates = false)
    {
        ImageStore images = TestStore.Of(host);
        if (images.Find(TestStore.Busybox) is null)
            TestStore.Add(images, System.Value, TestStore.Busybox);
        return new MicroVmProvider(host, images, QemuKind.Of(Options), NullLoggerFactory.Instance) { TemplateDirectory = ownTemplates ? null : TemplateFolder.Value };
    }

    private static string MakeTemplateFolder()
    {
        string folder = Directory.CreateTempSubdirectory("stacyvm-machines-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => TreeRemoval.Remove(folder);
        return folder;
    }
}
