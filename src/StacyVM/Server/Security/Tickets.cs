using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server.Security;

/// <summary>
/// One-time tickets for clients that cannot set headers (WebSocket and EventSource in browsers). A ticket stands for the caller who fetched it,
/// is good for 30 seconds and for one request, and is kept as a hash only.
/// </summary>
internal sealed class Tickets(TimeProvider time)
{
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(30);

    private const int MaxOpen = 10_000;

    private readonly ConcurrentDictionary<string, (Identity Identity, DateTimeOffset ExpiresAt)> _open = new();

    /// <exception cref="StacyVMException"><see cref="ProblemKind.RateLimited"/> when too many are open.</exception>
    public (string Ticket, DateTimeOffset ExpiresAt) Issue(Identity identity)
    {
        if (_open.Count >= MaxOpen)
        {
            RemoveExpired();
            if (_open.Count >= MaxOpen)
                throw new StacyVMException(ProblemKind.RateLimited, $"{MaxOpen} tickets are open; they end after {Life.TotalSeconds:0} s");
        }
        string ticket = "tkt_" + RandomNumberGenerator.GetHexString(48, lowercase: true);
        DateTimeOffset expiresAt = time.GetUtcNow() + Life;
        _open[Hash(ticket)] = (identity, expiresAt);
        return (ticket, expiresAt);
    }

    /// <summary>Uses a ticket up.</summary>
    public Identity? Redeem(string ticket) =>
        _open.TryRemove(Hash(ticket), out var entry) && entry.ExpiresAt > time.GetUtcNow() ? entry.Identity : null;

    /// <summary>True for a ticket that is open; it stays open.</summary>
    public bool Knows(string ticket) => _open.ContainsKey(Hash(ticket));

    private void RemoveExpired()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (var (hash, entry) in _open)
        {
            if (entry.ExpiresAt <= now)
                _open.TryRemove(hash, out _);
        }
    }

    private static string Hash(string ticket) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(ticket)));
}
