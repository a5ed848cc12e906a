using System.Text.Json;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Output;

/// <summary>How every failure looks: one block on stderr that says what happened and what to do. No stack trace reaches a user.</summary>
internal static class ErrorBlock
{
    public const int UsageExitCode = 2;

    /// <summary>128 + SIGINT, as a shell reports a program that was interrupted.</summary>
    private const int InterruptedExitCode = 130;

    /// <summary>Writes the failure.</summary>
    /// <returns>The exit code of its problem.</returns>
    public static int Write(Exception fault, bool json)
    {
        if (fault is AggregateException { InnerException: { } inner })
            fault = inner;
        if (fault is OperationCanceledException)
            return InterruptedExitCode;
        Problem problem = (fault as StacyVMException)?.Problem ?? Problem.Of(KindOf(fault));
        if (json)
        {
            string code = (fault as ServerException)?.Code ?? problem.Code;
            Console.Error.WriteLine(JsonSerializer.Serialize(new ErrorBody { Code = code, Message = fault.Message }, RestJson.Default.ErrorBody));
        }
        else
        {
            Write(fault.Message, Remedy(fault, problem.Kind));
        }
        return problem.ExitCode;
    }

    /// <summary>A command line that cannot be understood.</summary>
    public static void WriteUsage(string message, string command) => Write(message, $"See: {command} --help");

    /// <summary>A command that did its work, and what it found is a failure.</summary>
    public static void WriteFailure(string message) => Write(message, remedy: null);

    internal static string? Remedy(Exception fault, ProblemKind kind) => fault switch
    {
        ServerTimeoutException => "The server is busy or stuck; its log says more.",
        ConnectionException => "Is it running? Start it with: stacyvm serve\nAnother server is named by --server or STACYVM_SERVER.",
        _ => kind switch
        {
            ProblemKind.Unauthorized => "Give the server's key with --api-key or STACYVM_API_KEY. A server that made its own key keeps it in <data dir>/api-key.",
            ProblemKind.Forbidden => "What administrators may do takes the admin key: --admin-api-key or STACYVM_ADMIN_API_KEY.",
            ProblemKind.SandboxNotFound or ProblemKind.SandboxDestroyed => "See what is running: stacyvm list",
            ProblemKind.ProviderNotFound or ProblemKind.ProviderUnavailable => "See which levels work here: stacyvm providers",
            ProblemKind.SandboxGone => "See what became of it: stacyvm get <id>, stacyvm logs <id>",
            ProblemKind.ExecTimeout => "Allow more time with --timeout.",
            _ => null,
        },
    };

    private static ProblemKind KindOf(Exception fault) => fault switch
    {
        FileNotFoundException or DirectoryNotFoundException => ProblemKind.NotFound,
        UnauthorizedAccessException => ProblemKind.Forbidden,
        InvalidDataException or ArgumentException => ProblemKind.InvalidInput,
        _ => ProblemKind.Internal,
    };

    private static void Write(string message, string? remedy)
    {
        bool color = !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        string header = color ? "\u001b[1;37;41m ERROR \u001b[0m" : "ERROR";
        // What a server says may carry what a sandbox said: no control sequence of it may reach the terminal.
        string text = new([.. message.Where(c => c is '\n' || !char.IsControl(c))]);
        text = text.Length > 0 ? char.ToUpperInvariant(text[0]) + text[1..] : "Unknown failure";
        Console.Error.WriteLine($"{header}\n{Indented(text)}{(remedy is null ? "" : "\n\n" + Indented(remedy))}");
    }

    private static string Indented(string text) => "  " + text.TrimEnd('\n').Replace("\n", "\n  ");
}
