namespace StacyVM.Cli.Operations;

/// <summary>What the command line says about a set-up; null where it says nothing.</summary>
internal sealed record SetupGiven(string? Provider, string? Runtime, string? PreviewDomain, bool? Completion);
