using StacyVM.Protocol.Problems;

namespace StacyVM.Server.Json;

/// <summary>A request that the edge itself turns down, with the exact message of the contract, without the title of the problem's row.</summary>
internal sealed class Refusal(ProblemKind kind, string message) : Exception(message)
{
    public Problem Problem { get; } = Problem.Of(kind);

    /// <summary>When trying again is worth it.</summary>
    public int? RetryAfterSeconds { get; init; }

    public static Refusal BadBody(string detail) => new(ProblemKind.InvalidInput, $"invalid request body: {detail}");

    public static Refusal BadInput(string message) => new(ProblemKind.InvalidInput, message);
}
