namespace StacyVM.Sdk;

/// <summary>How a command of a session ended.</summary>
/// <param name="Code">128 + signal when a signal ended it.</param>
/// <param name="Duration">Duration text; empty when not told.</param>
public sealed record SessionExit(int Code, string Duration);
