namespace StacyVM.Engine.Configuration;

/// <summary>The isolation levels.</summary>
internal sealed record ProvidersOptions
{
    /// <summary>A name, or <c>auto</c>: the strongest level that works here.</summary>
    public string Default { get; init; } = "auto";

    public MockOptions Mock { get; init; } = new();

    public BubblewrapOptions Bubblewrap { get; init; } = new();

    public GvisorOptions Gvisor { get; init; } = new();

    public QemuOptions Qemu { get; init; } = new();

    public DockerOptions Docker { get; init; } = new();

    public ProotOptions Proot { get; init; } = new();

    public CustomOptions Custom { get; init; } = new();
}
