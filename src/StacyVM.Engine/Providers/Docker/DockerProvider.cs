using System.Collections.Concurrent;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Containers of a Docker daemon, local or remote, with the agent as their first process.</summary>
internal sealed partial class DockerProvider : ISandboxProvider, IHoldsImages, ICheckpoints, IPauses, IDisposable
{
    public const string ProviderName = "docker";

    private readonly AgentHost _host;
    private readonly DockerOptions _options;
    private readonly ILogger _logger;
    private readonly DockerSetup? _setup;
    private readonly string _fault = "";

    /// <summary>Ids whose create failed before the daemon was asked for a container: there is nothing to remove, and it may not be there to be asked.</summary>
    private readonly ConcurrentDictionary<string, bool> _neverMade = new();

    public DockerProvider(AgentHost host, DockerOptions options, ILogger logger)
    {
        _host = host;
        _options = options;
        _logger = logger;
        try
        {
            _setup = DockerSetup.Make(host, options, logger);
        }
        catch (FormatException e)
        {
            // An option of one provider does not keep the server from starting; the health says it.
            _fault = e.Message;
        }
    }

    public string Name => ProviderName;

    public IReadOnlyList<string> Traits => ["container"];

    public IReadOnlyDictionary<string, string> PublicSettings => new Dictionary<string, string>
    {
        ["type"] = ProviderName,
        ["runtime"] = _options.Runtime,
        ["default_image"] = _options.DefaultImage,
        ["network_mode"] = _options.NetworkMode,
        ["seccomp_profile"] = _options.SeccompProfile,
        ["read_only_rootfs"] = _options.ReadOnlyRootfs ? "true" : "false",
        ["user"] = _options.User.Length == 0 ? DockerUser.Default.ToString() : _options.User,
    };

    public Task<ProviderHealth> ProbeAsync(CancellationToken cancellation) =>
        _setup is null ? Task.FromResult(new ProviderHealth(false, _fault)) : _setup.Probe.RunAsync(cancellation);

    /// <summary>1 what the daemon is like, 2 the image, 3 the container and its agent. A failure of any leaves nothing.</summary>
    public async Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        RefuseCheckpoint(spec.Image);
        _neverMade[id] = true;
        DockerSetup setup = Setup();
        ProvedDaemon proved = await setup.Proof.GetAsync(cancellation).ConfigureAwait(false);
        DockerImage image = await ImageAsync(setup, spec, progress, cancellation).ConfigureAwait(false);
        _neverMade.TryRemove(id, out _);
        ContainerPlan plan = Plan(setup, id, spec, image, image.Name, proved);
        (string container, IAgentLink link) = await setup.Launch.RunAsync(plan, cancellation).ConfigureAwait(false);
        return Sandbox(setup, id, new DockerHandle(container, image.Name, proved.Route), link);
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        DockerSetup setup = Setup();
        DockerHandle known = DockerHandle.Open(handle)
            ?? throw new StacyVMException(ProblemKind.Internal, $"sandbox {id}: its handle was written by another version and cannot be read");
        ContainerInspectResponse? found = await setup.Containers.InspectAsync(known.Container, cancellation).ConfigureAwait(false);
        if (found?.Config is not { } config || config.Labels is null
            || !config.Labels.TryGetValue(DockerLabels.Installation, out string? installation) || installation != _host.InstallationId)
            return null;
        const string Prefix = AgentProtocol.TokenVariable + "=";
        string token = (config.Env ?? []).FirstOrDefault(variable => variable.StartsWith(Prefix, StringComparison.Ordinal))?[Prefix.Length..]
            ?? throw new StacyVMException(ProblemKind.Internal, $"sandbox {id}: its container does not carry a token");
        await setup.Checkpoints.RecoverAsync(id).ConfigureAwait(false);
        IAgentLink link = known.Route == AgentRoute.Socket
            ? _host.Listen(id, token)
            : new ExecAgentLink(_host, setup.Daemon, known, id, token, _logger);
        return Sandbox(setup, id, known, link);
    }

    public async Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        IReadOnlyList<ContainerListResponse> found = await Setup().Containers.ListAsync(id: null, cancellation).ConfigureAwait(false);
        return [.. found.Where(container => !container.Labels!.TryGetValue(DockerLabels.Probe, out string? probe) || probe != "true").Select(Listed)];
    }

    private ContainerPlan Plan(DockerSetup setup, string id, SandboxSpec spec, DockerImage image, string shownImage, ProvedDaemon proved) => new()
    {
        Id = id,
        Spec = spec,
        Image = image,
        User = setup.User,
        Token = AgentHost.NewToken(),
        Route = proved.Route,
        Workspace = proved.Workspace,
        Seccomp = proved.Seccomp,
        Labels = DockerLabels.For(id, shownImage, spec, _host.InstallationId, proved.Route),
        AgentPath = _host.AgentPath,
        SandboxDirectory = _host.SandboxDirectory(id),
    };

    public Task RemoveAsync(string id, CancellationToken cancellation) =>
        _neverMade.TryRemove(id, out _) ? Task.CompletedTask : Setup().Launch.RemoveAsync(id, cancellation);

    public Task<Stream> ExportImageAsync(string name, CancellationToken cancellation) => Setup().Images.ExportAsync(name, cancellation);

    public void Dispose() => _setup?.Dispose();

    private static ListedRuntime Listed(ContainerListResponse container)
    {
        bool alive = ContainerCondition.IsAlive(container.State ?? "");
        IDictionary<string, string> labels = container.Labels!;
        labels.TryGetValue(DockerLabels.Image, out string? image);
        SandboxHandle? handle = alive && labels.TryGetValue(DockerLabels.Route, out string? text) && Enum.TryParse(text, out AgentRoute route)
            ? new DockerHandle(container.ID, image ?? container.Image, route).Seal()
            : null;
        return new ListedRuntime(labels[DockerLabels.Sandbox], alive, handle, image, container.Created.ToUniversalTime());
    }

    private static AgentSandbox Sandbox(DockerSetup setup, string id, DockerHandle handle, IAgentLink link) =>
        new(id, link, new DockerPlace(setup.Daemon, id, handle, cancellation => setup.Launch.RemoveAsync(id, cancellation)));

    /// <summary>A default that nobody asked for gives way to the level's own default where only that one is there.</summary>
    private async Task<DockerImage> ImageAsync(DockerSetup setup, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (spec.ImageIsDefault && _options.DefaultImage.Length > 0 && _options.DefaultImage != spec.Image
            && await setup.Images.FindAsync(spec.Image, cancellation).ConfigureAwait(false) is null
            && await setup.Images.FindAsync(_options.DefaultImage, cancellation).ConfigureAwait(false) is { } own)
            return own;
        return await setup.Images.EnsureAsync(spec.Image, progress, cancellation).ConfigureAwait(false);
    }

    private DockerSetup Setup() => _setup ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, _fault);
}
