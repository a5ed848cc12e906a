namespace StacyVM.Engine.Configuration;

/// <summary>MicroVMs by QEMU.</summary>
internal sealed record QemuOptions
{
    public bool Enabled { get; init; }

    /// <summary>Name or path of the program.</summary>
    public string QemuPath { get; init; } = "qemu-system-x86_64";

    /// <summary>The guest kernel, with its modules where its package has them; empty: one of <c>/boot</c>.</summary>
    public string KernelPath { get; init; } = "";

    /// <summary><c>auto</c>, <c>kvm</c> or <c>tcg</c>.</summary>
    public string Accel { get; init; } = "auto";

    /// <summary>First of the host user ids that monitors run as when the server is root; each machine has its own.</summary>
    public uint UidBase { get; init; } = 2_000_100_000;

    /// <summary>How many ids from <see cref="UidBase"/> on.</summary>
    public uint UidCount { get; init; } = 65_536;
}
