using StacyVM.Engine.Configuration;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Security;

/// <summary>
/// A token bucket for each caller. A caller is who has been authenticated, so that headers alone give no new bucket; where users are told apart,
/// one key has a bounded number of them, and the rest share one bucket.
/// </summary>
internal sealed class RateLimiter(RateLimitOptions options, TimeProvider time)
{
    /// <summary>Buckets of one key, and of all addresses together.</summary>
    public const int MaxPerGroup = 2_048;

    private const string AddressGroup = "ip";

    /// <summary>No user and no address has this name.</summary>
    private const string Others = "/";

    private readonly double _capacity = options.Burst > 0 ? options.Burst : options.RequestsPerMinute;
    private readonly double _perSecond = options.RequestsPerMinute / 60.0;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Group, string Name), Bucket> _buckets = [];
    private readonly Dictionary<string, int> _sizes = [];
    private long _swept = time.GetTimestamp();
    private long _allowed;
    private long _limited;
    private long _evicted;

    public bool Enabled { get; } = options is { Enabled: true, RequestsPerMinute: > 0 };

    /// <summary>The limits in force and what they did since the start.</summary>
    public RateLimitInfo Statistics
    {
        get
        {
            lock (_lock)
            {
                return new RateLimitInfo
                {
                    Enabled = Enabled,
                    RequestsPerMinute = options.RequestsPerMinute,
                    Burst = (int)_capacity,
                    KeyBy = options.KeyBy,
                    ActiveBuckets = _buckets.Count,
                    AllowedTotal = _allowed,
                    LimitedTotal = _limited,
                    EvictedTotal = _evicted,
                    BucketTtl = GoDuration.Format(options.BucketTtl),
                    CleanupInterval = GoDuration.Format(options.CleanupInterval),
                };
            }
        }
    }

    /// <summary>Takes one token of the caller's bucket.</summary>
    public RateLimitState Take(Identity identity, ClientAddress address)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            SweepIfDue(now);
            Bucket bucket = BucketOf(KeyOf(identity, address), now);
            Refill(bucket, now);
            if (bucket.Tokens >= 1)
            {
                bucket.Tokens--;
                _allowed++;
                return new RateLimitState((int)_capacity, (int)bucket.Tokens, null);
            }
            _limited++;
            return new RateLimitState((int)_capacity, 0, Math.Max(1, (int)Math.Ceiling((1 - bucket.Tokens) / _perSecond)));
        }
    }

    private (string Group, string Name) KeyOf(Identity identity, ClientAddress address)
    {
        Caller caller = identity.Caller;
        bool byKey = identity is { Known: true, Open: false };
        return options.KeyBy switch
        {
            "owner" when byKey => (caller.Role, caller.Owner ?? ""),
            "owner" when identity.Open && caller.Owner is { } owner => (caller.Role, owner),
            "api_key" when byKey => (caller.Role, ""),
            _ => (AddressGroup, address.Network.ToString()),
        };
    }

    private Bucket BucketOf((string Group, string Name) key, long now)
    {
        if (_buckets.TryGetValue(key, out Bucket? known))
            return known;
        int size = _sizes.GetValueOrDefault(key.Group);
        if (size >= MaxPerGroup && key.Name != Others)
            return BucketOf((key.Group, Others), now);
        _sizes[key.Group] = size + 1;
        return _buckets[key] = new Bucket { Tokens = _capacity, Filled = now };
    }

    private void Refill(Bucket bucket, long now)
    {
        bucket.Tokens = Math.Min(_capacity, bucket.Tokens + (time.GetElapsedTime(bucket.Filled, now).TotalSeconds * _perSecond));
        bucket.Filled = now;
    }

    private void SweepIfDue(long now)
    {
        if (time.GetElapsedTime(_swept, now) < options.CleanupInterval)
            return;
        _swept = now;
        foreach (((string Group, string Name) key, Bucket bucket) in _buckets)
        {
            TimeSpan idle = time.GetElapsedTime(bucket.Filled, now);
            // One that is not full again would come back with more than it had.
            if (idle < options.BucketTtl || bucket.Tokens + (idle.TotalSeconds * _perSecond) < _capacity)
                continue;
            _buckets.Remove(key);
            _sizes[key.Group]--;
            _evicted++;
        }
    }

    private sealed class Bucket
    {
        public double Tokens { get; set; }

        /// <summary>Its last request.</summary>
        public long Filled { get; set; }
    }
}
