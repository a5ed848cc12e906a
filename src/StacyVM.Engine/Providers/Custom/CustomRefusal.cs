using System.Net;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>The backend said no. The status stays with it: whether 404 means the file or the sandbox is for the caller to find out.</summary>
internal sealed class CustomRefusal(ProblemKind kind, HttpStatusCode status, string detail) : StacyVMException(kind, detail)
{
    public HttpStatusCode Status { get; } = status;
}
