using System.Text;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Turns an exec request into what a sandbox is asked to start, or says what is wrong with it.</summary>
internal sealed class ExecValidation(DefaultsOptions defaults)
{
    // Linux refuses a longer single argument (MAX_ARG_STRLEN), with the NUL that ends it.
    private const int MaxArgumentBytes = 128 * 1024 - 1;

    /// <param name="request">What is asked for.</param>
    /// <param name="terminal">On a terminal of this size; null for pipes.</param>
    /// <param name="stdin">Keep stdin open.</param>
    /// <param name="longest">The longest timeout, also of a command that names none; zero: none.</param>
    /// <exception cref="StacyVMException">InvalidInput, ResourceLimit for a timeout that is negative or above the maximum.</exception>
    public ExecSpec Plan(ExecRequest request, TerminalSize? terminal, bool stdin, TimeSpan longest) => new()
    {
        Arguments = Arguments(request),
        Environment = CheckEnvironment(request.Env),
        WorkingDirectory = CheckText("workdir", request.Workdir ?? ""),
        Timeout = TimeoutOf(request, longest),
        Stdin = stdin || request.Stdin is not null,
        Terminal = CheckTerminal(terminal),
        Detached = request.Background == true,
    };

    /// <summary><c>shell</c> or <c>argv</c>.</summary>
    public static string ModeOf(ExecRequest request) => string.IsNullOrEmpty(request.Mode) ? "shell" : request.Mode;

    /// <summary>Of a command that names none; zero: no bound.</summary>
    public static TimeSpan StandardTimeout(DefaultsOptions defaults, TimeSpan most)
    {
        TimeSpan standard = defaults.DefaultExecTimeout > TimeSpan.Zero ? defaults.DefaultExecTimeout : most;
        return most > TimeSpan.Zero && standard > most ? most : standard;
    }

    private static List<string> Arguments(ExecRequest request)
    {
        string command = request.Command ?? "";
        IReadOnlyList<string> arguments = request.Args ?? [];
        if (arguments.Any(argument => argument is null))
            throw Invalid("args must be texts");
        List<string> all = ModeOf(request) switch
        {
            "shell" => ["/bin/sh", "-c", ShellText.Join(command, arguments)],
            "argv" when string.IsNullOrWhiteSpace(command) => throw Invalid("command is required in argv mode"),
            "argv" => [command, .. arguments],
            _ => throw Invalid("mode must be shell or argv"),
        };
        foreach (string argument in all)
        {
            CheckText("command", argument);
            if (Encoding.UTF8.GetByteCount(argument) > MaxArgumentBytes)
                throw Invalid($"command has an argument of more than {MaxArgumentBytes} bytes, which no program can be given: write it to a file first, or send it as stdin");
        }
        return all;
    }

    private static Dictionary<string, string> CheckEnvironment(Dictionary<string, string>? environment)
    {
        foreach ((string name, string? value) in environment ?? [])
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0'))
                throw Invalid("env names must not be empty and must not contain = or NUL");
            // The value may be a secret: only its name is said.
            if (value is null || value.Contains('\0'))
                throw Invalid($"env {name} must be a text without NUL");
            if (Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value) >= MaxArgumentBytes)
                throw Invalid($"env {name} is longer than {MaxArgumentBytes} bytes, which no program can be given: write it to a file");
        }
        return environment ?? [];
    }

    private TimeSpan TimeoutOf(ExecRequest request, TimeSpan most)
    {
        TimeSpan wished = TimeSpan.Zero;
        if (!string.IsNullOrEmpty(request.Timeout) && !GoDuration.TryParse(request.Timeout, out wished))
            throw Invalid("timeout is not a duration: write it as 30s, 1m30s or 500ms");
        if (wished < TimeSpan.Zero)
            throw new StacyVMException(ProblemKind.ResourceLimit, "exec timeout must not be negative");
        if (most > TimeSpan.Zero && wished > most)
            throw new StacyVMException(ProblemKind.ResourceLimit, $"exec timeout exceeds max exec timeout: {GoDuration.Format(wished)} > {GoDuration.Format(most)}");
        if (wished > TimeSpan.Zero)
            return wished;
        // What runs in the background is bounded by its sandbox's life.
        if (request.Background == true)
            return TimeSpan.Zero;
        return StandardTimeout(defaults, most);
    }

    private static TerminalSize? CheckTerminal(TerminalSize? terminal) => terminal is { } size && (size.Columns is < 1 or > 10_000 || size.Rows is < 1 or > 10_000)
        ? throw Invalid($"terminal size {size.Columns}x{size.Rows} is out of bounds: 1 to 10000 columns and rows")
        : terminal;

    private static string CheckText(string name, string text) => text.Contains('\0') ? throw Invalid($"{name} must not contain NUL") : text;

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);
}
