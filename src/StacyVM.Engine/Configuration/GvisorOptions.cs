namespace StacyVM.Engine.Configuration;

/// <summary>A kernel in user space between a sandbox and this machine's: gVisor, driven through <c>runsc</c>.</summary>
internal sealed record GvisorOptions
{
    public bool Enabled { get; init; }

    /// <summary>Name or path of the program.</summary>
    public string RunscPath { get; init; } = "runsc";

    /// <summary>How gVisor meets the system calls of a sandbox: <c>systrap</c>, <c>kvm</c> or <c>ptrace</c>; <c>auto</c> tries them.</summary>
    public string Platform { get; init; } = "auto";

    public int PidsLimit { get; init; } = 256;
}
