using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>
/// A program that runs machines, one process each: QEMU, or Firecracker. It knows how such a process is started and spoken to, and nothing of
/// sandboxes. All members may be called concurrently; those that take a folder speak to the process that was started in it, whichever server did.
/// </summary>
internal interface IMachineMonitor
{
    /// <summary>Name of the provider, e.g. <c>qemu</c>.</summary>
    string Name { get; }

    /// <summary>For people: program, version, and how processors are made.</summary>
    string Description { get; }

    /// <summary>Its processors are those of this machine and not emulated.</summary>
    bool IsAccelerated { get; }

    /// <summary>What a saved machine depends on: one that was saved under another mark cannot go on here.</summary>
    string Compatibility { get; }

    /// <summary>A group that the process needs to be in beside its user; null: none.</summary>
    uint? NeededGroup { get; }

    /// <summary>Memory of the process beyond that of its machine, MiB.</summary>
    int OverheadMb { get; }

    /// <summary>How its process is started: standard output goes to the console's file, the working directory is the folder's own.</summary>
    StartProcessRequest Launch(MachinePlan plan);

    /// <summary>The same for a machine without disks that says on its console that it runs, and ends.</summary>
    StartProcessRequest LaunchTrial(string kernel, string initramfs, string console);

    /// <summary>Returns when the process has been told all of the plan and its machine runs.</summary>
    /// <exception cref="IOException">The process does not answer.</exception>
    Task StartedAsync(MachinePlan plan, CancellationToken cancellation);

    /// <summary>The line to the machine's agent.</summary>
    /// <exception cref="IOException">The process is not there.</exception>
    Task<Stream> OpenAgentAsync(MachineFolder folder, CancellationToken cancellation);

    /// <summary>Its processors stand still.</summary>
    /// <exception cref="IOException">The process is not there.</exception>
    Task PauseAsync(MachineFolder folder, CancellationToken cancellation);

    /// <inheritdoc cref="PauseAsync"/>
    Task ResumeAsync(MachineFolder folder, CancellationToken cancellation);

    /// <summary>Writes down the memory and devices of a machine that stands still, in full or not at all; its disk is the caller's.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.StorageFull"/>.</exception>
    /// <exception cref="IOException">The process is not there, or cannot.</exception>
    Task SaveAsync(MachineFolder folder, string state, CancellationToken cancellation);
}
