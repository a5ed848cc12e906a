namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>A machine as a monitor starts it.</summary>
internal sealed record MachinePlan
{
    public required MachineFolder Folder { get; init; }

    /// <summary>Files that everyone may read.</summary>
    public required string Kernel { get; init; }

    /// <inheritdoc cref="Kernel"/>
    public required string Initramfs { get; init; }

    /// <summary>The image, read-only. Its directory may be closed: the monitor gets it as an open file.</summary>
    public required string RootDisk { get; init; }

    /// <summary>Of the machine; what commands may have of it is less.</summary>
    public required int MemoryMb { get; init; }

    public required int Vcpus { get; init; }

    /// <summary>A saved machine that this one goes on from; null: it starts anew.</summary>
    public string? SavedState { get; init; }

    /// <summary>Host user of the monitor's process, and its group; null: the server's own.</summary>
    public (uint User, uint Group)? Owner { get; init; }
}
