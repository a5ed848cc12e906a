using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>All builds: those that wait, the few that run, and those that are over. What a server did not finish, the next one takes up.</summary>
/// <param name="specs">What is built.</param>
/// <param name="store">Where builds are kept.</param>
/// <param name="runs">Makes the run of a spec.</param>
/// <param name="limit">Longest time of a build.</param>
/// <param name="log">Where it logs.</param>
/// <param name="time">The clock.</param>
internal sealed partial class EnvironmentBuilds(
    EnvironmentSpecs specs, IEnvironmentStore store, Func<EnvironmentSpec, BuildRun> runs, TimeSpan limit, ILogger<EnvironmentBuilds> log, TimeProvider time)
{
    public const int QueueLength = 128;

    private const int Workers = 2;
    private const int DefaultListed = 30;
    private const int MostListed = 200;

    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new(StringComparer.Ordinal);
    private Task _work = Task.CompletedTask;
    private int _waiting;

    /// <summary>Takes up what is not finished, in its order, and begins to work.</summary>
    public async Task StartAsync(CancellationToken stopping)
    {
        foreach (string id in await store.UnfinishedAsync(stopping))
        {
            Interlocked.Increment(ref _waiting);
            _queue.Writer.TryWrite(id);
        }
        _work = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(stopping)));
    }

    /// <summary>After the token of the start is cancelled: returns when no build runs any more.</summary>
    public Task StopAsync() => _work;

    /// <summary>Queues a build. One that finds the queue full has failed, and says so.</summary>
    /// <exception cref="StacyVMException">InvalidInput; NotFound for the spec.</exception>
    public async Task<EnvironmentBuild> CreateAsync(EnvironmentBuildRequest request, Caller caller, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(request.SpecId))
            throw new StacyVMException(ProblemKind.InvalidInput, "spec_id is required");
        IReadOnlyList<string> targets = BuildTarget.Check(request.Targets);
        EnvironmentSpec spec = await specs.GetAsync(request.SpecId.Trim(), caller, cancellation);
        DateTime now = time.GetUtcNow().UtcDateTime;
        string id = Guid.NewGuid().ToString();
        string tag = BuildTarget.TagOf(spec.Name, id);
        var build = new EnvironmentBuild
        {
            Id = id,
            SpecId = spec.Id,
            CreatedAt = now,
            UpdatedAt = now,
            Artifacts = [.. targets.Select(target => new BuildArtifact { Target = target, ImageRef = BuildTarget.Planned(target, tag), CreatedAt = now, UpdatedAt = now })],
        };
        bool hasRoom = Interlocked.Increment(ref _waiting) <= QueueLength;
        if (!hasRoom)
        {
            Interlocked.Decrement(ref _waiting);
            build = build.Finished(BuildStatus.Failed, $"{QueueLength} builds wait already: try again when some of them are done", now);
        }
        try
        {
            await store.AddBuildAsync(build);
        }
        catch when (hasRoom)
        {
            Interlocked.Decrement(ref _waiting);
            throw;
        }
        if (hasRoom)
            _queue.Writer.TryWrite(id);
        return build;
    }

    /// <summary>Newest first.</summary>
    /// <exception cref="StacyVMException">InvalidInput for what is no owner, and for a limit out of bounds.</exception>
    public async Task<IReadOnlyList<(EnvironmentBuild Build, EnvironmentSpec Spec)>> ListAsync(string owner, string? limitText, Caller caller, CancellationToken cancellation)
    {
        string name = OwnerName.Required(owner);
        int most = DefaultListed;
        if (!string.IsNullOrEmpty(limitText) && (!int.TryParse(limitText, out most) || most is < 1 or > MostListed))
            throw new StacyVMException(ProblemKind.InvalidInput, $"limit must be a number from 1 to {MostListed}");
        return OwnerAccess.IsOpen(name, caller) ? await store.ListBuildsAsync(name, most, cancellation) : [];
    }

    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task<EnvironmentBuild> GetAsync(string id, Caller caller, CancellationToken cancellation)
    {
        EnvironmentBuild? build = await store.FindBuildAsync(id, cancellation);
        bool seen = build is not null && await store.FindSpecAsync(build.SpecId, cancellation) is { } spec && OwnerAccess.IsOpen(spec.OwnerId, caller);
        return seen ? build! : throw NotFound(id);
    }

    /// <summary>Ends a build: at once in its record, and on the engine as soon as that lets go.</summary>
    /// <exception cref="StacyVMException">NotFound; Conflict when it is over.</exception>
    public async Task<EnvironmentBuild> CancelAsync(string id, Caller caller, CancellationToken cancellation)
    {
        EnvironmentBuild build = await GetAsync(id, caller, cancellation);
        EnvironmentBuild canceled = build.Finished(BuildStatus.Canceled, "", time.GetUtcNow().UtcDateTime) with { Log = build.Log + "canceled\n" };
        if (BuildStatus.IsFinal(build.Status) || !await store.SaveBuildAsync(canceled))
            throw new StacyVMException(ProblemKind.Conflict, $"build {id} is over: only a queued or running build can be canceled");
        await EndAsync(id);
        Ended(log, id, BuildStatus.Canceled);
        return canceled;
    }

    /// <summary>Where sandboxes get the image of a build from: the nearest that is ready, else the nearest that is planned.</summary>
    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task<EnvironmentSpawnConfig> SpawnConfigAsync(string id, Caller caller, CancellationToken cancellation)
    {
        EnvironmentBuild build = await GetAsync(id, caller, cancellation);
        BuildArtifact[] nearest = [.. build.Artifacts.OrderBy(artifact => BuildTarget.All.ToList().IndexOf(artifact.Target))];
        BuildArtifact artifact = nearest.FirstOrDefault(candidate => candidate.Status == BuildArtifact.Ready) ?? nearest.FirstOrDefault() ?? throw NotFound(id);
        bool ready = artifact.Status == BuildArtifact.Ready;
        return new EnvironmentSpawnConfig
        {
            BuildId = build.Id,
            BuildStatus = build.Status,
            Ready = ready,
            Provider = "docker",
            Image = artifact.ImageRef,
            Target = artifact.Target,
            Digest = artifact.Digest,
            Note = !ready ? "the image is not there: wait until the build is ready, or read why it is not"
                : artifact.Target == BuildTarget.Local ? "the image is on this server's Docker engine"
                : "the image is on this server's Docker engine and at the registry; another engine needs access to the registry",
        };
    }

    private async Task EndAsync(string id)
    {
        if (!_running.TryGetValue(id, out CancellationTokenSource? run))
            return;
        try
        {
            await run.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It came to its end in this moment, and found that its result is not wanted.
        }
    }

    private async Task WorkAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                string id = await _queue.Reader.ReadAsync(stopping);
                Interlocked.Decrement(ref _waiting);
                await RunAsync(id, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StacyVMException)
            {
                // A store that cannot write has told it; the build is taken up by the next server.
            }
        }
    }

    private async Task RunAsync(string id, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        // Before the record is read: whoever cancels from here on either finds the run or has written already.
        _running[id] = end;
        BuildRun? run = null;
        try
        {
            EnvironmentBuild? build = await store.FindBuildAsync(id, stopping);
            if (build is null || BuildStatus.IsFinal(build.Status) || await store.FindSpecAsync(build.SpecId, stopping) is not { } spec)
                return;
            Started(log, id);
            run = runs(spec);
            Ended(log, id, await run.RunAsync(build, limit, end.Token));
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            if (run is not null)
                await run.CleanAsync(id);
        }
        catch (Exception e) when (e is not (OperationCanceledException or StacyVMException))
        {
            Broken(log, id, e);
            await GiveUpAsync(id);
        }
        finally
        {
            _running.TryRemove(id, out _);
        }
    }

    /// <summary>Nobody shall wait for a build that broke off in a way that was not foreseen.</summary>
    private async Task GiveUpAsync(string id)
    {
        if (await store.FindBuildAsync(id, CancellationToken.None) is { } build)
            await store.SaveBuildAsync(build.Finished(BuildStatus.Failed, "the build broke off by a fault of the server or of the Docker engine: the server's log has it", time.GetUtcNow().UtcDateTime));
    }

    private static StacyVMException NotFound(string id) => new(ProblemKind.NotFound, $"environment build {SpecRules.Shown(id)}");

    [LoggerMessage(Level = LogLevel.Information, EventName = "environment.build_started", Message = "environment build {Id} has started")]
    private static partial void Started(ILogger log, string id);

    [LoggerMessage(Level = LogLevel.Information, EventName = "environment.build_ended", Message = "environment build {Id} is {Status}")]
    private static partial void Ended(ILogger log, string id, string status);

    [LoggerMessage(Level = LogLevel.Error, EventName = "environment.build_broken", Message = "environment build {Id} broke off")]
    private static partial void Broken(ILogger log, string id, Exception cause);
}
