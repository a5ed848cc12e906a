namespace StacyVM.Engine.Configuration;

/// <summary>Plain directories on the host, without any isolation: for tests and demonstrations.</summary>
internal sealed record MockOptions
{
    public bool Enabled { get; init; }
}
