using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Templates;

/// <summary>What a template adds to a bare sandbox before anybody may use it.</summary>
internal sealed record Preparation
{
    /// <summary>The agent ends a command in time by itself; this is for an agent that does not.</summary>
    private static readonly TimeSpan AgentGrace = TimeSpan.FromSeconds(10);

    /// <summary>Its name, for messages.</summary>
    public required string Template { get; init; }

    /// <summary>In the order of their writing.</summary>
    public required IReadOnlyList<PreparedFile> Files { get; init; }

    /// <summary>Shell commands, in the order of their running.</summary>
    public required IReadOnlyList<string> Commands { get; init; }

    /// <summary>Of these commands and of every later one; secrets are among it.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Values that must not be told.</summary>
    public required IReadOnlyList<string> Hidden { get; init; }

    /// <summary>Of each command; zero: none. The owner of the sandbox decides.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Seals <see cref="Environment"/>.</summary>
    public required SecretBox Box { private get; init; }

    /// <summary>The environment as the record of the sandbox keeps it; null for none.</summary>
    public SandboxEnvironment? SealEnvironment(string id) => SandboxEnvironment.Of(id, Environment, Box);

    public override string ToString() => $"preparation by template {Template}";

    /// <summary>1 write the files, 2 run the commands one after the other. What fails is told with its place in the template.</summary>
    /// <exception cref="SetupFailure">A command ended with another code than 0, or did not end in its time.</exception>
    /// <exception cref="StacyVMException">A file could not be written; or the sandbox has ended.</exception>
    public async Task RunAsync(ISandbox sandbox, IProgress<string> progress, CancellationToken cancellation)
    {
        // 1.
        if (Files.Count > 0)
            progress.Report($"writing the {Files.Count} files of template {Template}");
        foreach (PreparedFile file in Files)
            await WriteAsync(sandbox, file, cancellation);
        // 2.
        for (int i = 0; i < Commands.Count; i++)
        {
            progress.Report($"setup command {i + 1} of {Commands.Count} of template {Template}");
            await RunAsync(sandbox, i, cancellation);
        }
    }

    private async Task WriteAsync(ISandbox sandbox, PreparedFile file, CancellationToken cancellation)
    {
        try
        {
            await sandbox.Files.WriteAsync(file.Path, new MemoryStream(file.Content, writable: false), file.Mode, cancellation);
        }
        catch (StacyVMException e) when (e.Kind != ProblemKind.SandboxGone)
        {
            throw new StacyVMException(e.Kind, $"template {Template}: {SpawnValidation.Shown(file.Path)} cannot be written ({e.Message})", e);
        }
    }

    private async Task RunAsync(ISandbox sandbox, int index, CancellationToken cancellation)
    {
        var spec = new ExecSpec { Arguments = ["/bin/sh", "-c", Commands[index]], Environment = Environment, Timeout = Timeout };
        var errors = new OutputTail(Hidden);
        string which = $"template {Template}: setup command {index + 1} of {Commands.Count}";
        using CancellationTokenSource overdue = Timeout > TimeSpan.Zero ? new(Timeout + AgentGrace) : new();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, overdue.Token);
        ExecExit exit;
        try
        {
            await using IExecSession session = await sandbox.StartAsync(spec, ending.Token);
            while (await session.ReadAsync(ending.Token) is { } output)
            {
                if (output.IsError)
                    errors.Add(output.Data.Span);
            }
            exit = await session.Exit.WaitAsync(ending.Token);
        }
        catch (OperationCanceledException) when (overdue.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw Late();
        }
        if (exit.TimedOut)
            throw Late();
        if (exit.Code != 0)
            throw new SetupFailure(ProblemKind.InvalidInput, $"{which} ended with exit code {exit.Code}", errors.ToString());

        SetupFailure Late() => new(ProblemKind.ExecTimeout, $"{which} did not end within {GoDuration.Format(Timeout)}", errors.ToString());
    }
}
