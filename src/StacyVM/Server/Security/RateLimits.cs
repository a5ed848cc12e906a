using System.Globalization;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;

namespace StacyVM.Server.Security;

/// <summary>The limits on a request before its route is looked at: guesses at keys, and the rate of a caller.</summary>
internal sealed class RateLimits(FailedLogins logins, RateLimiter limiter)
{
    public const string LimitHeader = "X-RateLimit-Limit";
    public const string RemainingHeader = "X-RateLimit-Remaining";

    /// <summary>True while the keys that come from there are not even looked at.</summary>
    public bool HoldsBack(ClientAddress address) => logins.WaitOf(address.Network) is not null;

    public void CountFailure(ClientAddress address) => logins.Count(address.Network);

    public Refusal TooManyFailures(ClientAddress address)
    {
        int wait = Math.Max(1, (int)Math.Ceiling(logins.WaitOf(address.Network)?.TotalSeconds ?? 0));
        return new Refusal(ProblemKind.RateLimited, $"too many wrong keys from {address}; retry after {wait}s") { RetryAfterSeconds = wait };
    }

    /// <summary>Takes a token of the caller's and tells how many are left.</summary>
    public void Count(HttpContext context, Identity identity)
    {
        if (!limiter.Enabled)
            return;
        RateLimitState state = limiter.Take(identity, ClientAddress.Of(context));
        context.Response.Headers[LimitHeader] = state.Limit.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers[RemainingHeader] = state.Remaining.ToString(CultureInfo.InvariantCulture);
        if (state.RetryAfterSeconds is { } wait)
            throw new Refusal(ProblemKind.RateLimited, $"rate limit exceeded; retry after {wait}s") { RetryAfterSeconds = wait };
    }
}
