using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>From a plan to a container whose agent answers; or to nothing at all.</summary>
internal sealed class ContainerLaunch(AgentHost host, DockerSetup setup, ILogger logger)
{
    private static readonly TimeSpan AgentWithin = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CleanupWithin = TimeSpan.FromSeconds(60);

    /// <returns>The daemon's id of the container, and the way to its agent, which has answered once.</returns>
    public async Task<(string Container, IAgentLink Link)> RunAsync(ContainerPlan plan, CancellationToken cancellation)
    {
        IAgentLink? link = null;
        try
        {
            // 1. Our socket stands before anything could dial it.
            if (plan.Route == AgentRoute.Socket)
                link = host.Listen(plan.Id, plan.Token);
            cancellation.ThrowIfCancellationRequested();

            // 2. The container.
            string container = await CreateAsync(plan).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();

            // 3. Its first process.
            await StartAsync(plan, container).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();

            // 4. The agent's first word.
            link ??= new ExecAgentLink(host, setup.Daemon, new DockerHandle(container, plan.Image.Name, plan.Route), plan.Id, plan.Token, logger);
            await FirstWordAsync(plan, container, link, cancellation).ConfigureAwait(false);
            return (container, link);
        }
        catch
        {
            if (link is not null)
                await link.DisposeAsync().ConfigureAwait(false);
            await CleanUpAsync(plan.Id).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Removes containers and directory of an id.</summary>
    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        await setup.Containers.RemoveContainersAsync(id, cancellation).ConfigureAwait(false);
        // Only now: nothing writes into it any more.
        await Task.Run(() => TreeRemoval.Remove(host.SandboxDirectory(id)), CancellationToken.None).ConfigureAwait(false);
    }

    private async Task<string> CreateAsync(ContainerPlan plan)
    {
        try
        {
            return await setup.Containers.CreateAsync(plan).ConfigureAwait(false);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
        {
            setup.Images.Forget(plan.Image.Name);
            throw new StacyVMException(ProblemKind.InvalidInput, $"image '{plan.Image.Name}' has just been removed from the Docker daemon; try again", e);
        }
        catch (DockerApiException e)
        {
            throw Refused(plan, "made", e);
        }
    }

    private async Task StartAsync(ContainerPlan plan, string container)
    {
        try
        {
            await setup.Containers.StartAsync(container).ConfigureAwait(false);
        }
        catch (DockerApiException e)
        {
            throw Refused(plan, "started", e);
        }
    }

    /// <summary>The level itself has been proved, so what the daemon refuses lies in the image or in a value that was asked for.</summary>
    private static StacyVMException Refused(ContainerPlan plan, string verb, DockerApiException failure)
    {
        string message = DockerDaemon.Message(failure);
        // The daemon has no code of its own for a full disk.
        ProblemKind kind = message.Contains("no space left on device", StringComparison.Ordinal) ? ProblemKind.StorageFull : ProblemKind.InvalidInput;
        return new StacyVMException(kind, $"sandbox {plan.Id}: a container of image '{plan.Image.Name}' cannot be {verb}: {message}", failure);
    }

    private async Task FirstWordAsync(ContainerPlan plan, string container, IAgentLink link, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(AgentWithin);
        // A first start on a busy machine takes longer than a redial.
        Task<AgentConnection> word = (link is AgentListener listener ? listener.GetAsync(AgentWithin, over.Token) : link.GetAsync(over.Token)).AsTask();
        Task<ContainerWaitResponse> ended = setup.Containers.EndedAsync(container, over.Token);
        try
        {
            await Task.WhenAny(word, ended).ConfigureAwait(false);
            if (word.IsCompletedSuccessfully)
                return;
            cancellation.ThrowIfCancellationRequested();
            throw new StacyVMException(ProblemKind.InvalidInput, await WhyAsync(plan, container, ended).ConfigureAwait(false));
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Quietly(word).ConfigureAwait(false);
            await Quietly(ended).ConfigureAwait(false);
        }
    }

    private async Task<string> WhyAsync(ContainerPlan plan, string container, Task ended)
    {
        string fate = "runs, but its agent did not answer";
        if (ended.IsCompletedSuccessfully && await setup.Containers.InspectAsync(container, CancellationToken.None).ConfigureAwait(false) is { } found)
            fate = $"ended at once ({ContainerCondition.Of(found.State).Reason})";
        var place = new DockerPlace(setup.Daemon, plan.Id, new DockerHandle(container, plan.Image.Name, plan.Route), _ => Task.CompletedTask);
        IReadOnlyList<string> said = await place.ConsoleAsync(3, CancellationToken.None).ConfigureAwait(false);
        return $"sandbox {plan.Id}: a container of image '{plan.Image.Name}' {fate}{(said.Count > 0 ? "; it said: " + string.Join(" / ", said) : "")}";
    }

    private async Task CleanUpAsync(string id)
    {
        try
        {
            using var limit = new CancellationTokenSource(CleanupWithin);
            await RemoveAsync(id, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The first failure is the one to report; what is left carries our label and is found again.
            DockerLog.CleanupFailed(logger, id, e.Message);
        }
    }

    private static async Task Quietly(Task task) =>
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
