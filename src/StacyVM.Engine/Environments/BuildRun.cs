using Docker.DotNet.Models;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Environments;

/// <summary>
/// One build from beginning to end: 1 the spec is checked again, 2 the recipe made, 3 the image built, 4 brought to each target, 5 the end written
/// down. Every step is durable before it begins. When somebody has ended the build meanwhile, the next step finds out and nothing is overwritten.
/// </summary>
internal sealed class BuildRun(EnvironmentSpec spec, IEnvironmentStore store, BuildEngine engine, RegistryConnections registries, TimeProvider time)
{
    private static readonly TimeSpan LogPeriod = TimeSpan.FromSeconds(1);

    private readonly BuildLog _log = new();

    /// <returns>The status that it came to.</returns>
    /// <exception cref="OperationCanceledException">The server stops, or the build has been canceled.</exception>
    public async Task<string> RunAsync(EnvironmentBuild build, TimeSpan limit, CancellationToken cancellation)
    {
        if (build.Status == BuildStatus.Building)
            _log.Add("the server was restarted while this build ran: it starts again");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        end.CancelAfter(limit);
        using var over = new CancellationTokenSource();
        Task logging = KeepLogAsync(build.Id, over.Token);
        try
        {
            build = await MakeAsync(build, end.Token);
        }
        catch (StacyVMException e)
        {
            build = Failed(build, e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            build = Failed(build, $"the build took longer than environments.build_timeout allows ({limit.TotalMinutes:0.#} min)");
        }
        finally
        {
            await over.CancelAsync();
            await logging;
        }
        // 5.
        build = await StepAsync(build, BuildStep.Finalize, CancellationToken.None);
        BuildArtifact? failed = build.Artifacts.FirstOrDefault(artifact => artifact.Status == BuildArtifact.Failed);
        string error = build.Error.Length > 0 ? build.Error : failed is null ? "" : $"{failed.Target}: {failed.Error}";
        string status = error.Length > 0 ? BuildStatus.Failed : BuildStatus.Ready;
        _log.Add(error.Length > 0 ? $"failed: {error}" : "ready");
        if (build.DigestLocal.Length == 0)
            await CleanAsync(build.Id);
        bool written = await store.SaveBuildAsync(build.Finished(status, error, Now) with { Log = _log.ToString() });
        return written ? status : throw new OperationCanceledException();
    }

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Until the engine has nothing of it any more; what it does not let go of stays for the next time.</summary>
    public async Task CleanAsync(string buildId)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            while (!await engine.CleanAsync(buildId, patience.Token))
                await Task.Delay(TimeSpan.FromMilliseconds(300), time, patience.Token);
        }
        catch (Exception e) when (e is StacyVMException or OperationCanceledException)
        {
            // Without an engine there is nothing to remove, and no one to tell: the label finds it later.
        }
    }

    private async Task<EnvironmentBuild> MakeAsync(EnvironmentBuild build, CancellationToken cancellation)
    {
        // 1.
        build = await StepAsync(build with { Status = BuildStatus.Building }, BuildStep.Validate, cancellation);
        SpecRules.Check(spec);
        // 2.
        build = await StepAsync(build, BuildStep.Generate, cancellation);
        string dockerfile = Dockerfile.Of(spec, build.Id);
        foreach (string line in dockerfile.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            _log.Add("  " + line);
        // 3.
        build = await StepAsync(build, BuildStep.Build, cancellation);
        string tag = BuildTarget.TagOf(spec.Name, build.Id);
        string name = $"{BuildTarget.LocalRepository}:{tag}";
        await engine.CleanAsync(build.Id, cancellation);
        await engine.BuildAsync(dockerfile, name, _log.Add, cancellation);
        ImageInspectResponse image = await engine.InspectAsync(name, cancellation);
        build = build with { ImageSizeBytes = image.Size, DigestLocal = image.ID };
        // 4.
        build = await StepAsync(build, BuildStep.Push, cancellation);
        foreach (string target in build.Artifacts.Select(artifact => artifact.Target).ToArray())
        {
            BuildArtifact done = await DeliverAsync(build.Artifacts.First(artifact => artifact.Target == target), image.ID, tag, cancellation);
            build = build with { Artifacts = [.. build.Artifacts.Select(artifact => artifact.Target == target ? done : artifact)] };
            build = await StepAsync(build, BuildStep.Push, cancellation);
        }
        if (build.Artifacts.All(artifact => artifact.Target != BuildTarget.Local) && build.Artifacts.Any(artifact => artifact.Status == BuildArtifact.Ready))
            await engine.UntagAsync(name, cancellation);
        return build;
    }

    /// <summary>One target that cannot be reached leaves the others as they are.</summary>
    private async Task<BuildArtifact> DeliverAsync(BuildArtifact artifact, string imageId, string tag, CancellationToken cancellation)
    {
        if (artifact.Target == BuildTarget.Local)
            return artifact with { Status = BuildArtifact.Ready, Digest = imageId, UpdatedAt = Now };
        try
        {
            RegistryLogin login = await registries.LoginAsync(spec.OwnerId, artifact.Target, cancellation);
            string repository = BuildTarget.RemoteRepository(login.Host, login.Username);
            artifact = artifact with { ImageRef = $"{repository}:{tag}" };
            _log.Add($"pushing {artifact.ImageRef} as {login.Username}");
            await engine.TagAsync(imageId, repository, tag, cancellation);
            await engine.PushAsync(repository, tag, login, _log.Add, cancellation);
            ImageInspectResponse image = await engine.InspectAsync(imageId, cancellation);
            return artifact with { Status = BuildArtifact.Ready, Digest = DigestAt(image, repository), Error = "", UpdatedAt = Now };
        }
        catch (StacyVMException e)
        {
            _log.Add($"{artifact.Target}: {e.Message}");
            return artifact with { Status = BuildArtifact.Failed, Error = e.Message, UpdatedAt = Now };
        }
    }

    /// <summary>The engine leaves Docker Hub's own name out.</summary>
    private static string DigestAt(ImageInspectResponse image, string repository)
    {
        string[] names = [$"{repository}@", $"{(repository.StartsWith("docker.io/", StringComparison.Ordinal) ? repository["docker.io/".Length..] : repository)}@"];
        string? found = (image.RepoDigests ?? []).FirstOrDefault(digest => names.Any(name => digest.StartsWith(name, StringComparison.Ordinal)));
        return found is null ? "" : found[(found.IndexOf('@') + 1)..];
    }

    private EnvironmentBuild Failed(EnvironmentBuild build, string error) => build with { Error = error };

    private async Task<EnvironmentBuild> StepAsync(EnvironmentBuild build, string step, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (build.CurrentStep != step)
            _log.Add($"== {step}");
        build = build with { CurrentStep = step, Log = _log.ToString(), UpdatedAt = Now };
        return await store.SaveBuildAsync(build) ? build : throw new OperationCanceledException();
    }

    /// <summary>Readable while it runs.</summary>
    private async Task KeepLogAsync(string buildId, CancellationToken over)
    {
        long written = 0;
        while (!over.IsCancellationRequested)
        {
            await Task.Delay(LogPeriod, time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            long lines = _log.Lines;
            if (lines == written || over.IsCancellationRequested)
                continue;
            try
            {
                await store.SaveLogAsync(buildId, _log.ToString());
                written = lines;
            }
            catch (StacyVMException)
            {
                // The store has told it; the next round tries again.
            }
        }
    }
}
