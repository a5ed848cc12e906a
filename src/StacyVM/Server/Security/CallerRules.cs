using System.Text;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;

namespace StacyVM.Server.Security;

/// <summary>
/// What a caller says of itself, beside its key, and how far that is believed. <c>X-User-ID</c> names the owner. Where owners are separated and proxies
/// are listed, the header counts only from those: a key that has got out to a user then gives it no other user's sandboxes.
/// </summary>
internal sealed class CallerRules(AuthOptions options, TrustedProxies proxies)
{
    private const int MaxNameBytes = 128;

    public Caller CallerOf(HttpContext context, string role, string proved)
    {
        bool isIsolated = options.OwnerIsolation && role != KeyRing.AdminRole;
        string? owner = Name(context, PresentedKeys.UserHeader);
        if (owner is not null && isIsolated && proxies.Any && !ClientAddress.Of(context).ByTrustedProxy)
            throw new Refusal(ProblemKind.Forbidden, $"{PresentedKeys.UserHeader} is believed only from server.trusted_proxies, as auth.owner_isolation is on");
        string? tenant = role is Scopes.Anonymous or Scopes.ScrapeRole ? null : Name(context, PresentedKeys.TenantHeader);
        return new Caller(role, owner, tenant, Actors.Claimed(owner, proved)) { IsIsolated = isIsolated };
    }

    private static string? Name(HttpContext context, string header)
    {
        string value = context.Request.Headers[header].ToString().Trim();
        if (value.Length == 0)
            return null;
        bool bad = Encoding.UTF8.GetByteCount(value) > MaxNameBytes || value.Any(c => c is '/' or '\\' || char.IsControl(c) || char.IsWhiteSpace(c));
        return bad
            ? throw new Refusal(ProblemKind.InvalidInput, $"invalid input: {header} takes at most {MaxNameBytes} bytes without slash, white space or control character")
            : value;
    }
}
