using StacyVM.Protocol.Problems;

namespace StacyVM.Server.OpenApi;

/// <summary>A message for each row of the table, as the server words them.</summary>
internal static class ProblemExample
{
    public static string Message(ProblemKind kind)
    {
        string title = Problem.Of(kind).Title;
        return title.Length == 0 ? Detail(kind) : $"{title}: {Detail(kind)}";
    }

    private static string Detail(ProblemKind kind) => kind switch
    {
        ProblemKind.InvalidInput => "memory_mb is from 16 to 1048576",
        ProblemKind.Unauthorized => "invalid or missing API key",
        ProblemKind.Forbidden => "required authorization scope missing",
        ProblemKind.MisdirectedRequest => "this server does not answer under the host name \"example.org\"; add it to server.allowed_hosts",
        ProblemKind.SandboxNotFound or ProblemKind.SandboxDestroyed => RouteExamples.SandboxId,
        ProblemKind.ProviderNotFound => "no provider \"firecracker\" is configured",
        ProblemKind.NotFound => "/workspace/notes.txt: no such file or directory",
        ProblemKind.MethodNotAllowed => "this path takes GET, POST",
        ProblemKind.ExecTimeout => $"the command in {RouteExamples.SandboxId} did not end within 30s and was killed",
        ProblemKind.Conflict => "the name \"python\" is taken",
        ProblemKind.PayloadTooLarge => "JSON bodies take at most 16777216 bytes; send files with PUT /files?path=",
        ProblemKind.ResourceLimit => "max sandboxes reached (10)",
        ProblemKind.RateLimited => "retry after 2s",
        ProblemKind.Internal => "the server's log has the cause under request id 0f9c2f6e-58a3-4a5c-b0f0-6c1d2b3a4e5f",
        ProblemKind.Unsupported => "the provider docker keeps no console log",
        ProblemKind.ProviderUnavailable => "docker: its daemon does not answer",
        ProblemKind.Unavailable => "the server is stopping; try again",
        ProblemKind.SandboxGone => $"{RouteExamples.SandboxId} ended while it was in use",
        ProblemKind.StorageFull => "the disk of the sandbox is full",
        _ => Problem.Of(kind).Meaning,
    };
}
