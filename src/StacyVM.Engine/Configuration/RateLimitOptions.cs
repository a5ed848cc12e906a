namespace StacyVM.Engine.Configuration;

/// <summary>How many requests a caller may send.</summary>
internal sealed record RateLimitOptions
{
    public bool Enabled { get; init; }

    /// <summary>Steady rate; zero: no limit.</summary>
    public int RequestsPerMinute { get; init; } = 120;

    /// <summary>Requests at once; zero: as many as a minute brings.</summary>
    public int Burst { get; init; } = 60;

    /// <summary><c>owner</c>, <c>api_key</c> or <c>ip</c>.</summary>
    public string KeyBy { get; init; } = "owner";

    /// <summary>After so long without a request a caller is forgotten.</summary>
    public TimeSpan BucketTtl { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan CleanupInterval { get; init; } = TimeSpan.FromMinutes(1);
}
