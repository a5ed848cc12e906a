namespace StacyVM.Server.Security;

/// <summary>A caller's bucket after one request.</summary>
/// <param name="Limit">Tokens of a full one.</param>
/// <param name="Remaining">Whole tokens left.</param>
/// <param name="RetryAfterSeconds">When there is a token again; null: the request may pass.</param>
internal readonly record struct RateLimitState(int Limit, int Remaining, int? RetryAfterSeconds);
