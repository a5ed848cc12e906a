using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>The agent answered that an operation failed. Becomes a problem of the table where the sandbox and the subject are known.</summary>
internal sealed class AgentRefusal(AgentStatus status, string message) : Exception(message)
{
    public AgentStatus Status { get; } = status;

    public static AgentRefusal From(ClosedMessage closed) => new(closed.Status, closed.Message);

    /// <summary>The one place where an agent's status becomes a problem.</summary>
    /// <param name="sandboxId">Which sandbox.</param>
    /// <param name="subject">What the operation was about: a path, a port, a process.</param>
    public StacyVMException ToProblem(string sandboxId, string subject)
    {
        string text = Message.Length > 0 ? Message : Status.ToString();
        string detail = text.Contains(subject, StringComparison.Ordinal) ? $"sandbox {sandboxId}: {text}" : $"sandbox {sandboxId}: {subject}: {text}";
        return new StacyVMException(KindOf(Status), detail, this);
    }

    private static ProblemKind KindOf(AgentStatus status) => status switch
    {
        AgentStatus.NotFound => ProblemKind.NotFound,
        AgentStatus.IsDirectory or AgentStatus.NotDirectory or AgentStatus.InvalidArgument or AgentStatus.InvalidPath => ProblemKind.InvalidInput,
        AgentStatus.PermissionDenied or AgentStatus.ReadOnly => ProblemKind.Forbidden,
        AgentStatus.AlreadyExists or AgentStatus.NotEmpty or AgentStatus.Busy => ProblemKind.Conflict,
        AgentStatus.NoSpace => ProblemKind.StorageFull,
        AgentStatus.ConnectionRefused => ProblemKind.Unavailable,
        AgentStatus.ResourceLimit => ProblemKind.ResourceLimit,
        AgentStatus.Unsupported => ProblemKind.Unsupported,
        AgentStatus.Cancelled or AgentStatus.Detached => ProblemKind.SandboxGone,
        _ => ProblemKind.Internal,
    };
}
