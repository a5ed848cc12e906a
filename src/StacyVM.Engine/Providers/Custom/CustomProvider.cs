using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>
/// Sandboxes that an HTTP backend of the user's own makes, by the contract for backends. No agent of ours runs in them: commands and files go
/// through the backend, and what its contract cannot carry (input, terminals, signals, ports) is not offered.
/// </summary>
internal sealed class CustomProvider(AgentHost host, CustomOptions options, HttpMessageHandler? handler = null) : ISandboxProvider, IDisposable
{
    private const int QuestionsAtOnce = 16;

    private readonly CustomBackend _backend = new(options, handler);
    private readonly RemoteRecords _records = new(host, options.Name);
    private readonly TurnTaking _turns = new();
    private readonly ConcurrentDictionary<string, CustomSandbox> _living = new();

    public string Name => options.Name;

    public IReadOnlyList<string> Traits { get; } = ["remote_http"];

    public IReadOnlyDictionary<string, string> PublicSettings { get; } = new Dictionary<string, string> { ["type"] = "other" };

    public async Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            await _backend.HealthAsync(cancellation).ConfigureAwait(false);
            var enforced = new Dictionary<string, string> { ["isolation"] = "what the backend gives: this server cannot see it" };
            return new ProviderHealth(true, null, enforced) { Proof = "the backend says that it works" };
        }
        catch (StacyVMException problem)
        {
            return new ProviderHealth(false, problem.Message);
        }
    }

    public async Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        // 1. What an earlier attempt left.
        await RemoveInTurnAsync(id, CancellationToken.None).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        var record = new RemoteRecord("", spec.Image, DateTime.UtcNow);
        try
        {
            // 2. Noted before it is asked for, and with its id as soon as that is known. The call itself is not cut off: what it makes could not be
            // found again without its answer.
            _records.Write(id, record);
            string remote = await _backend.SpawnAsync(spec, id, CancellationToken.None).ConfigureAwait(false);
            _records.Write(id, record with { Remote = remote });
            // 3.
            cancellation.ThrowIfCancellationRequested();
            return Take(id, new CustomState(remote, spec.Image));
        }
        catch (Exception failure)
        {
            await RemoveInTurnAsync(id, CancellationToken.None).ConfigureAwait(false);
            // A backend that does not know its own address of a spawn is not there for us.
            if (failure is CustomRefusal { Status: HttpStatusCode.NotFound } refusal)
                throw new StacyVMException(ProblemKind.InvalidInput, $"image \"{spec.Image}\" cannot be had: {refusal.Detail}", refusal);
            throw;
        }
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        CustomState state = CustomState.Parse(id, handle);
        RuntimeStatus status = await StatusAsync(state.Remote, cancellation).ConfigureAwait(false);
        if (status.State == RuntimeState.Gone)
            return null;
        if (_records.Read(id) is null)
            _records.Write(id, new RemoteRecord(state.Remote, state.Image, DateTime.UtcNow));
        return Take(id, state);
    }

    public async Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        // The contract has no list: each one that is noted here is asked for.
        var found = new ConcurrentBag<ListedRuntime>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = cancellation };
        await Parallel.ForEachAsync(_records.All(), parallel, async (one, until) =>
        {
            (string id, RemoteRecord record) = one;
            bool runs = record.Remote.Length > 0 && (await StatusAsync(record.Remote, until).ConfigureAwait(false)).State is RuntimeState.Running or RuntimeState.Paused;
            // Meanwhile it may have been removed.
            if (_records.Read(id) is not null)
                found.Add(new ListedRuntime(id, runs, runs ? new CustomState(record.Remote, record.Image).ToHandle() : null, record.Image, record.CreatedAt));
        }).ConfigureAwait(false);
        return [.. found];
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await RemoveInTurnAsync(id, cancellation).ConfigureAwait(false);
    }

    /// <summary>Leaves every sandbox running.</summary>
    public void Dispose() => _backend.Dispose();

    /// <summary>What the backend says of a sandbox.</summary>
    internal async Task<RuntimeStatus> StatusAsync(string remote, CancellationToken cancellation)
    {
        try
        {
            using JsonDocument answer = await _backend.AskAsync($"status/{Uri.EscapeDataString(remote)}", cancellation).ConfigureAwait(false);
            string state = RemoteHttp.Plain(answer.RootElement.Text("state") ?? "", []).ToLowerInvariant();
            return state switch
            {
                "" or "running" or "creating" or "created" or "starting" or "pending" or "ready" => new RuntimeStatus(RuntimeState.Running),
                "paused" => new RuntimeStatus(RuntimeState.Paused),
                "stopped" or "exited" or "dead" or "error" or "failed" => new RuntimeStatus(RuntimeState.Stopped, $"{_backend.Who} says that it is {state}"),
                "destroyed" or "destroying" or "removing" or "gone" => new RuntimeStatus(RuntimeState.Gone, $"{_backend.Who} says that it is {state}"),
                _ => throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{_backend.Who} says that a sandbox is \"{state}\", which means nothing here"),
            };
        }
        catch (CustomRefusal refusal) when (refusal.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            return new RuntimeStatus(RuntimeState.Gone, $"{_backend.Who} does not know it");
        }
    }

    private CustomSandbox Take(string id, CustomState state)
    {
        var sandbox = new CustomSandbox(id, state, _backend, this);
        _living[id] = sandbox;
        return sandbox;
    }

    private async Task RemoveInTurnAsync(string id, CancellationToken cancellation)
    {
        if (_records.Read(id) is not { } record)
            return;
        _living.TryGetValue(id, out CustomSandbox? sandbox);
        if (record.Remote.Length > 0)
        {
            // First: whoever waits for a command is to learn that the sandbox ended, and not only the command.
            sandbox?.LoseCommands();
            try
            {
                await _backend.TellAsync(HttpMethod.Delete, $"sandboxes/{Uri.EscapeDataString(record.Remote)}", null, cancellation).ConfigureAwait(false);
            }
            catch (CustomRefusal refusal) when (refusal.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
            {
                // As it should be.
            }
        }
        _records.Remove(id);
        _living.TryRemove(id, out _);
        sandbox?.Lose();
    }
}
