using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>What is found out and written once, before the first machine, and is the same for all of them.</summary>
/// <param name="Monitor">Runs machines here.</param>
/// <param name="Kernel">Of all guests.</param>
/// <param name="KernelFile">A copy that the monitor's user may read.</param>
/// <param name="InitramfsFile">The agent and the modules.</param>
/// <param name="Cgroups">Where resources are bounded.</param>
/// <param name="Users">Host users of monitors; null when the server is not root and all run as its own.</param>
internal sealed record MachineSetup(IMachineMonitor Monitor, GuestKernel Kernel, string KernelFile, string InitramfsFile, CgroupTree Cgroups, SandboxUsers? Users)
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>What saved machines depend on: the monitor, the kernel and the agent in their memory.</summary>
    public string Compatibility => $"{Monitor.Compatibility}\n{Path.GetFileName(KernelFile)}\n{Path.GetFileName(InitramfsFile)}";

    /// <summary>Directory of things that belong to no sandbox; others may pass through it to the files they are told of.</summary>
    public static string DirectoryOf(AgentHost host) => Path.Combine(host.DataDirectory, "microvm");

    /// <summary>Kernel and first file system, written under names of their content: another server never changes what one is using.</summary>
    public static (string Kernel, string Initramfs) WriteBootFiles(AgentHost host, GuestKernel kernel)
    {
        string directory = DirectoryOf(host);
        AgentHost.MakePassage(directory);
        return (
            WriteOnce(directory, "kernel-", File.ReadAllBytes(kernel.Path)),
            WriteOnce(directory, "initramfs-", Initramfs.Build(File.ReadAllBytes(host.AgentPath), kernel)));
    }

    private static string WriteOnce(string directory, string prefix, byte[] content)
    {
        string path = Path.Combine(directory, prefix + Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8)));
        if (!File.Exists(path) || new FileInfo(path).Length != content.Length)
        {
            string draft = FormattableString.Invariant($"{path}.{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
            File.WriteAllBytes(draft, content);
            File.SetUnixFileMode(draft, Readable);
            File.Move(draft, path, overwrite: true);
        }
        return path;
    }

    /// <summary>Where servers of one machine begin to give users away: at different places.</summary>
    public static uint FirstUser(string installation) => BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(installation)));
}
