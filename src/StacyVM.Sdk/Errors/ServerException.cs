using StacyVM.Protocol.Problems;

namespace StacyVM.Sdk;

/// <summary>The server answered with an error. <see cref="Exception.Message"/> is the server's own text.</summary>
public class ServerException : StacyVMException
{
    private readonly string _text;

    /// <param name="kind">The row of the problem table.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="code"><c>code</c> of the error envelope.</param>
    /// <param name="message">The server's text.</param>
    /// <param name="requestId"><c>X-Request-ID</c> of the answer.</param>
    public ServerException(ProblemKind kind, int status, string code, string message, string? requestId = null)
        : base(kind, message)
    {
        _text = message;
        StatusCode = status;
        Code = code;
        RequestId = requestId;
    }

    /// <summary>HTTP status; 0 when the error came within a stream that had begun well.</summary>
    public int StatusCode { get; }

    /// <summary>For example <c>RESOURCE_LIMIT</c>.</summary>
    public string Code { get; }

    /// <summary>What to look for in the server's log.</summary>
    public string? RequestId { get; }

    /// <inheritdoc/>
    public override string Message => _text;
}
