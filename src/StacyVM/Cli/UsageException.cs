using StacyVM.Protocol.Problems;

namespace StacyVM.Cli;

/// <summary>The command line itself is wrong, in a way that only its command can tell.</summary>
internal sealed class UsageException(string message) : StacyVMException(ProblemKind.InvalidInput, message)
{
    private readonly string _text = message;

    public override string Message => _text;
}
