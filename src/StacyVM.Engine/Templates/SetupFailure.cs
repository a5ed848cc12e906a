using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Templates;

/// <summary>A set-up command that failed. Whoever asked for the sandbox sees what it printed; logs, events, audit and records only that it failed.</summary>
/// <param name="kind">Which problem.</param>
/// <param name="summary">Which command, and how it ended.</param>
/// <param name="output">The end of what it printed to stderr, without secrets.</param>
internal sealed class SetupFailure(ProblemKind kind, string summary, string output)
    : StacyVMException(kind, output.Length == 0 ? summary : $"{summary}: {output}")
{
    /// <summary>The same without the command's output.</summary>
    public StacyVMException Discreet { get; } = new(kind, summary);
}
