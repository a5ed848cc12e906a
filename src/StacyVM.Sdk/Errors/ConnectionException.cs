using StacyVM.Protocol.Problems;

namespace StacyVM.Sdk;

/// <summary>The server cannot be reached, or the connection broke before the answer was complete.</summary>
public class ConnectionException(string message, Exception? inner = null) : StacyVMException(ProblemKind.Unavailable, message, inner)
{
    private readonly string _text = message;

    /// <inheritdoc/>
    public override string Message => _text;
}
