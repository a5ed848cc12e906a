using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm.Qemu;

/// <summary>The provider <c>qemu</c>.</summary>
internal static class QemuKind
{
    private const string KvmDevice = "/dev/kvm";
    private static readonly TimeSpan KvmPatience = TimeSpan.FromSeconds(8);

    public static MicroVmKind Of(QemuOptions options) => new(
        QemuMonitor.ProviderName,
        new Dictionary<string, string> { ["type"] = QemuMonitor.ProviderName, ["qemu_path"] = options.QemuPath, ["accel"] = options.Accel, ["network_mode"] = "none" },
        (host, cancellation) => PrepareAsync(host, options, cancellation));

    private static async Task<MachineSetup> PrepareAsync(AgentHost host, QemuOptions options, CancellationToken cancellation)
    {
        // 1. The program, the kernel, the files to boot from.
        QemuProgram program = await QemuProgram.FindAsync(options.QemuPath, cancellation).ConfigureAwait(false);
        GuestKernel kernel = GuestKernel.Find(options.KernelPath);
        (string kernelFile, string initramfs) = MachineSetup.WriteBootFiles(host, kernel);

        // 2. KVM where a machine really starts with it.
        bool kvm = options.Accel == "kvm" || (options.Accel == "auto" && await TryKvmAsync(host, program, kernelFile, initramfs, cancellation).ConfigureAwait(false));

        // 3. Users and control groups.
        bool privileged = Libc.GetEffectiveUserId() == 0;
        SandboxUsers? users = privileged
            ? SandboxUsers.From(options.UidBase, options.UidCount, [File.ReadAllLines("/proc/self/uid_map"), File.ReadAllLines("/proc/self/gid_map")], MachineSetup.FirstUser(host.InstallationId))
            : null;
        CgroupTree cgroups = CgroupTree.Open(host.InstallationId, QemuMonitor.ProviderName, CgroupMounts.Read(), privileged);
        // It has been seen what can be had. A server without machines leaves no groups behind.
        cgroups.RemoveIfEmpty();
        return new MachineSetup(new QemuMonitor(program, kvm), kernel, kernelFile, initramfs, cgroups, users);
    }

    private static async Task<bool> TryKvmAsync(AgentHost host, QemuProgram program, string kernel, string initramfs, CancellationToken cancellation)
    {
        if (!File.Exists(KvmDevice))
            return false;
        try
        {
            return await MachineTrial.RunAsync(host, new QemuMonitor(program, kvm: true), kernel, initramfs, KvmPatience, cancellation).ConfigureAwait(false) is null;
        }
        catch (StacyVMException)
        {
            return false;
        }
    }
}
