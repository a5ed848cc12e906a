using StacyVM.Engine.Sandboxes;

namespace StacyVM.Server.Security;

/// <summary>Who asks and what they may do; decided once a request, before any endpoint runs.</summary>
/// <param name="Caller">As the engine sees them.</param>
/// <param name="Known">False for a stranger on a route that is open to all.</param>
/// <param name="Open">True where no key is asked for, so that everybody is let in.</param>
internal sealed record Identity(Caller Caller, bool Known, bool Open = false)
{
    public static readonly Identity Stranger = new(new Caller("none", null, null, "stranger"), Known: false);

    public IReadOnlyList<string> Scopes { get; } = Security.Scopes.Of(Caller.Role);
}

internal static class IdentityExtensions
{
    public static Identity Identity(this HttpContext context) => context.Features.Get<Identity>() ?? Security.Identity.Stranger;

    public static Caller Caller(this HttpContext context) => context.Identity().Caller;
}
