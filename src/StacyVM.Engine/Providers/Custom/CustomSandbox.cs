using System.Collections.Concurrent;
using System.Net;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>A sandbox at a backend. Whatever the contract for backends cannot carry is refused, with the reason.</summary>
internal sealed class CustomSandbox(string id, CustomState state, CustomBackend backend, CustomProvider provider) : ISandbox, IConsoleLog
{
    private readonly ConcurrentDictionary<RemoteCommand, bool> _commands = new();
    private volatile bool _lost;

    public string Id => id;

    public string Image => state.Image;

    public SandboxHandle Handle { get; } = state.ToHandle();

    public ISandboxFiles Files => field ??= new CustomFiles(this, backend);

    /// <summary>Its id at the backend.</summary>
    internal string Remote => state.Remote;

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation) =>
        _lost ? Task.FromResult(new RuntimeStatus(RuntimeState.Gone, "it has been removed")) : provider.StatusAsync(Remote, cancellation);

    public async Task<IExecSession> StartAsync(ExecSpec spec, CancellationToken cancellation)
    {
        if (spec.Arguments.Count == 0)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {id}: a command needs a program");
        if (spec.Terminal is not null)
            throw Unsupported("terminals");
        if (spec.Stdin)
            throw Unsupported("input of commands");
        if (spec.Detached)
            throw Unsupported("commands that outlive their request");
        ThrowIfLost();
        var command = new RemoteCommand(id, spec.Timeout);
        _commands[command] = true;
        command.Ended += () => _commands.TryRemove(command, out _);
        try
        {
            if (_lost)
                command.Lose();
            if (spec.Whole)
                return new CustomWholeSession(this, backend, command, spec);
            return await CustomStreamSession.StartAsync(this, backend, command, spec, cancellation).ConfigureAwait(false);
        }
        catch
        {
            command.Dispose();
            throw;
        }
    }

    public Task<IReadOnlyList<string>> TailAsync(int lines, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<string>>(lines > 0 ? ["console log is not available: the contract for backends has none"] : []);

    public Task DestroyAsync(CancellationToken cancellation) => provider.RemoveAsync(id, cancellation);

    /// <summary>It has been removed: whoever waits for it learns so.</summary>
    internal void Lose()
    {
        _lost = true;
        LoseCommands();
    }

    internal void LoseCommands()
    {
        foreach (RemoteCommand command in _commands.Keys)
            command.Lose();
    }

    internal void ThrowIfLost()
    {
        if (_lost)
            throw Gone();
    }

    internal StacyVMException Gone() => new(ProblemKind.SandboxGone, $"sandbox {id}: it has been removed");

    internal StacyVMException Unsupported(string what) =>
        new(ProblemKind.Unsupported, $"sandbox {id}: {what} cannot be had from {backend.Who}: the contract for backends does not carry it");

    /// <summary>A refusal as a problem of this sandbox: 404 may mean the sandbox itself, so the backend is asked for it.</summary>
    internal async Task<StacyVMException> ExplainAsync(CustomRefusal refusal, string subject, CancellationToken cancellation)
    {
        if (refusal.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone
            && (await StatusAsync(cancellation).ConfigureAwait(false)).State == RuntimeState.Gone)
            return new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id}: {backend.Who} does not know it any more", refusal);
        return new StacyVMException(refusal.Kind, $"sandbox {id}: {subject}: {refusal.Detail}", refusal);
    }
}
