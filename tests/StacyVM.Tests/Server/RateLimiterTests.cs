using System.Net;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Security;
using Xunit;

namespace StacyVM.Tests.Server;

public sealed class RateLimiterTests
{
    private static readonly RateLimitOptions Limits = new() { Enabled = true, RequestsPerMinute = 60, Burst = 3 };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_burst_passes_and_then_the_steady_rate()
    {
        var limiter = new RateLimiter(Limits, _time);
        Assert.Equal([2, 1, 0], Enumerable.Range(0, 3).Select(_ => Take(limiter, Key("api", "alice")).Remaining));
        Assert.Equal(1, Take(limiter, Key("api", "alice")).RetryAfterSeconds);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(Take(limiter, Key("api", "alice")).RetryAfterSeconds);
        Assert.NotNull(Take(limiter, Key("api", "alice")).RetryAfterSeconds);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2, Take(limiter, Key("api", "alice")).Remaining);
    }

    [Fact]
    public void A_burst_of_zero_is_a_minutes_worth_and_a_rate_of_zero_is_no_limit()
    {
        var limiter = new RateLimiter(Limits with { Burst = 0 }, _time);
        Assert.Equal((60, 59), (Take(limiter, Key("api", null)).Limit, limiter.Statistics.Burst - 1));
        Assert.False(new RateLimiter(Limits with { RequestsPerMinute = 0 }, _time).Enabled);
        Assert.False(new RateLimiter(Limits with { Enabled = false }, _time).Enabled);
    }

    [Theory]
    [InlineData("owner", "api", "alice", "api", "bob", false)]
    [InlineData("owner", "api", "alice", "admin", "alice", false)]
    [InlineData("owner", "api", null, "api", null, true)]
    [InlineData("api_key", "api", "alice", "api", "bob", true)]
    [InlineData("api_key", "api", "alice", "admin", "alice", false)]
    [InlineData("ip", "api", "alice", "admin", "bob", true)]
    public void Who_is_one_caller_is_configured(string keyBy, string role, string? owner, string otherRole, string? otherOwner, bool same)
    {
        var limiter = new RateLimiter(Limits with { KeyBy = keyBy }, _time);
        Take(limiter, Key(role, owner));
        Assert.Equal(same ? 1 : 2, Take(limiter, Key(otherRole, otherOwner)).Remaining);
    }

    [Fact]
    public void Strangers_count_by_address_whatever_they_say()
    {
        var limiter = new RateLimiter(Limits, _time);
        limiter.Take(Identity.Stranger, From("192.0.2.1"));
        Assert.Equal(1, limiter.Take(Identity.Stranger, From("192.0.2.1")).Remaining);
        Assert.Equal(2, limiter.Take(Identity.Stranger, From("192.0.2.2")).Remaining);
        limiter.Take(Identity.Stranger, From("2001:db8::1"));
        Assert.Equal(1, limiter.Take(Identity.Stranger, From("2001:db8::ffff:2")).Remaining);
    }

    [Fact]
    public void Invented_users_share_what_a_key_has_left_and_memory_is_bounded()
    {
        var limiter = new RateLimiter(Limits, _time);
        int passed = 0;
        for (int i = 0; i < 10 * RateLimiter.MaxPerGroup; i++)
            passed += Take(limiter, Key("api", $"user-{i}")).RetryAfterSeconds is null ? 1 : 0;
        RateLimitInfo numbers = limiter.Statistics;
        Assert.Equal(RateLimiter.MaxPerGroup + 1, numbers.ActiveBuckets);
        Assert.Equal(RateLimiter.MaxPerGroup + Limits.Burst, passed);
        Assert.Equal((passed, 10 * RateLimiter.MaxPerGroup - passed), (numbers.AllowedTotal, numbers.LimitedTotal));
        // Another key is not touched by it, and one that was known before keeps its own.
        Assert.Equal(2, Take(limiter, Key("admin", "user-1")).Remaining);
        Assert.Equal(1, Take(limiter, Key("api", "user-1")).Remaining);
    }

    [Fact]
    public void Idle_callers_are_forgotten_but_not_their_debt()
    {
        var limiter = new RateLimiter(Limits with { RequestsPerMinute = 1, BucketTtl = TimeSpan.FromSeconds(30), CleanupInterval = TimeSpan.FromSeconds(10) }, _time);
        for (int i = 0; i < 4; i++)
            Take(limiter, Key("api", "alice"));
        _time.Advance(TimeSpan.FromSeconds(45));
        Assert.NotNull(Take(limiter, Key("api", "alice")).RetryAfterSeconds);
        Assert.Equal(0, limiter.Statistics.EvictedTotal);
        _time.Advance(TimeSpan.FromMinutes(4));
        Take(limiter, Key("api", "bob"));
        Assert.Equal((1, 1), (limiter.Statistics.EvictedTotal, limiter.Statistics.ActiveBuckets));
    }

    private static RateLimitState Take(RateLimiter limiter, Identity identity) => limiter.Take(identity, From("192.0.2.1"));

    private static Identity Key(string role, string? owner) => new(new Caller(role, owner, null, role), Known: true);

    private static ClientAddress From(string address) => new(IPAddress.Parse(address), ByTrustedProxy: false);
}
