using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// Sandboxes of namespaces, system call filter and control groups, built by <c>bwrap</c> on this machine: the host's own programs,
/// read-only, or a copy-on-write root of an image; a private <c>/workspace</c>, no network. Each runs under a host user of its own when the server is root.
/// </summary>
internal sealed partial class BubblewrapProvider(AgentHost host, ImageStore images, BubblewrapOptions options, ILoggerFactory loggers)
    : ISandboxProvider, ICheckpoints, IPauses, IAsyncDisposable
{
    private const string ProviderName = "bubblewrap";

    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(10);

    private readonly ILogger _log = loggers.CreateLogger<BubblewrapProvider>();
    private readonly DiskWatch _disks = new(host.DataDirectory, loggers.CreateLogger<DiskWatch>());
    private readonly TurnTaking _turns = new();
    private readonly SavedFiles _saved = new(host, ProviderName);
    private readonly SemaphoreSlim _preparing = new(1);
    private readonly ConcurrentDictionary<string, LivingSandbox> _living = new();
    private readonly ConcurrentDictionary<string, bool> _probing = new();
    private BubblewrapSetup? _setup;

    public string Name => ProviderName;

    /// <summary>False: do without user namespaces, as on a host that refuses them to ordinary users.</summary>
    public bool UserNamespaces { get; init; } = true;

    public IReadOnlyList<string> Traits { get; } = ["namespaces"];

    public IReadOnlyDictionary<string, string> PublicSettings { get; } = new Dictionary<string, string>
    {
        ["type"] = "bubblewrap",
        ["bwrap_path"] = options.BwrapPath,
        ["image"] = HostImage.Name,
        ["network_mode"] = "none",
    };

    public async Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        // The whole way, agent included: what this proves is exactly what a spawn needs.
        string id = BubblewrapHealth.NewProbeId();
        _probing[id] = true;
        try
        {
            BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
            var spec = new SandboxSpec { Image = HostImage.Name, MemoryMb = 64, Vcpus = 1, DiskMb = 16, PidsLimit = options.PidsLimit };
            ISandbox sandbox = await CreateAsync(id, spec, null, cancellation).ConfigureAwait(false);
            await sandbox.DestroyAsync(cancellation).ConfigureAwait(false);
            return new ProviderHealth(true, null, BubblewrapHealth.Enforced(setup), [HostImage.Name, .. images.All.SelectMany(image => image.Names)]) { Gaps = [.. setup.Cgroups.Unenforced.Keys] };
        }
        catch (StacyVMException problem)
        {
            return new ProviderHealth(false, BubblewrapHealth.Advise(problem.Message));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or TimeoutException)
        {
            return new ProviderHealth(false, cause.Message);
        }
        finally
        {
            _probing.TryRemove(id, out _);
        }
    }

    public async Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        // Its image, pulled when it is not here; null for the host's own programs.
        StoredImage? image = await ImageChoice.OfAsync(images, spec, progress, cancellation).ConfigureAwait(false);
        return await BuildAsync(id, spec, image, null, cancellation).ConfigureAwait(false);
    }

    /// <param name="id">Of the new sandbox.</param>
    /// <param name="spec">What was asked for.</param>
    /// <param name="image">Null for the host's own programs.</param>
    /// <param name="checkpoint">What it begins with; null for nothing.</param>
    /// <param name="cancellation">Abandons it.</param>
    private async Task<ISandbox> BuildAsync(string id, SandboxSpec spec, StoredImage? image, string? checkpoint, CancellationToken cancellation)
    {
        // 1. What all sandboxes share, and the turn.
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);

        // 2. What an earlier attempt left.
        var folder = new SandboxFolder(host, id);
        if (folder.Exists)
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        AgentListener? listener = null;
        try
        {
            // 3. Its user, its directory with the marker, its control groups.
            uint user = setup.Users?.Take(id) ?? Libc.GetEffectiveUserId();
            var state = new BubblewrapState
            {
                UserId = user,
                Token = AgentHost.NewToken(),
                CreatedAt = DateTime.UtcNow,
                MemoryMb = spec.MemoryMb,
                DiskMb = spec.DiskMb,
                BootId = ProcessIdentity.BootId,
                Image = image?.Title ?? HostImage.Name,
            };
            folder.Make(state, setup.Users is not null, !setup.Wall.UserNamespace);
            if (checkpoint is not null)
                await Task.Run(() => _saved.Restore(checkpoint, folder, user, setup.Users is not null, cancellation), CancellationToken.None).ConfigureAwait(false);
            ImageRoot? root = image is null ? null : MakeRoot(setup, image, folder, user, id);
            folder.WriteArguments(root is null
                ? setup.Arguments.ForSandbox(id, state.Token, folder.Workspace, spec.MemoryMb)
                : setup.Arguments.ForSandbox(id, state.Token, folder.Workspace, spec.MemoryMb, root));
            setup.Cgroups.Create(id, SandboxLimits.OfGroups(spec));

            // 4. The listener before the agent, so that its first dial succeeds.
            listener = host.Listen(id, state.Token, user);
            // The launch itself, a millisecond, is not cut off: whether there is something to clean up has to be known.
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            LaunchedProgram bwrap = await launcher.LaunchAsync(Request(setup, folder, spec, id, user, root), CancellationToken.None).ConfigureAwait(false);

            // 5. The agent comes, or bwrap says why not.
            await ArriveAsync(id, listener, bwrap, folder, cancellation).ConfigureAwait(false);
            ProcessIdentity process = ProcessIdentity.Of(listener.PeerPid) ?? folder.FindProcess()
                ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"sandbox {id} ended as soon as it had started: {Console(folder)}");
            return Take(setup, id, folder, state.With(process), listener);
        }
        catch (Exception failure)
        {
            if (listener is not null)
                await listener.DisposeAsync().ConfigureAwait(false);
            await CleanUpAsync(setup, id).ConfigureAwait(false);
            if (failure is IOException { HResult: Libc.ENOSPC or Libc.EDQUOT })
                throw new StacyVMException(ProblemKind.StorageFull, $"sandbox {id} could not be made: {failure.Message}", failure);
            throw;
        }
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        var state = BubblewrapState.Parse(Encoding.UTF8.GetBytes(handle.State));
        var folder = new SandboxFolder(host, id);
        if (!state.Process.IsAlive)
            return null;
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        setup.Users?.Note(id, state.UserId);
        // An earlier object of the same sandbox has lost it: its agent dials one listener.
        if (_living.TryRemove(id, out LivingSandbox? earlier))
            await earlier.Listener.DisposeAsync().ConfigureAwait(false);
        // A server that was killed while it saved has left it standing still; one that paused it has noted that.
        var standstill = new BubblewrapStandstill(id, folder, setup.Cgroups);
        if (folder.IsPaused)
            await standstill.BeginAsync(cancellation).ConfigureAwait(false);
        else
            standstill.End();
        return Take(setup, id, folder, state, host.Listen(id, state.Token, state.UserId));
    }

    public async Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        string sandboxes = Path.GetDirectoryName(host.SandboxDirectory("x"))! + "/";
        var found = new Dictionary<string, ListedRuntime>();

        // 1. Directories with our marker, and half-made ones.
        foreach (string path in Directory.Exists(sandboxes) ? Directory.EnumerateDirectories(sandboxes) : [])
        {
            string name = Path.GetFileName(path);
            bool draft = name.StartsWith(SandboxFolder.DraftPrefix, StringComparison.Ordinal);
            string id = draft ? name[SandboxFolder.DraftPrefix.Length..] : name;
            if (draft)
                found.TryAdd(id, new ListedRuntime(id, Running: false));
            else if (StacyVM.Protocol.SandboxId.IsSafe(id) && new SandboxFolder(host, id) is var folder && folder.ReadState() is { } state)
            {
                ProcessIdentity? process = _living.TryGetValue(id, out LivingSandbox? known) && known.Process.IsAlive ? known.Process : folder.FindProcess();
                found[id] = new ListedRuntime(id, process is not null, process is { } alive ? state.With(alive).ToHandle() : null, state.Image, state.CreatedAt);
            }
        }

        // 2. Control groups and processes whose directory is gone.
        string marker = sandboxes;
        IEnumerable<string> started = ProcessScan.Arguments(marker)
            .Select(argument => argument[marker.Length..].Split('/'))
            .Where(parts => parts is [_, "agent"]).Select(parts => parts[0]);
        foreach (string id in setup.Cgroups.List().Concat(started))
            found.TryAdd(id, new ListedRuntime(id, Running: false));
        return [.. found.Values.Where(one => !_probing.ContainsKey(one.Id))];
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
    }

    /// <summary>Leaves every sandbox running.</summary>
    public ValueTask DisposeAsync()
    {
        _disks.Dispose();
        _setup?.Cgroups.RemoveIfEmpty();
        return default;
    }

    private AgentSandbox Take(BubblewrapSetup setup, string id, SandboxFolder folder, BubblewrapState state, AgentListener listener)
    {
        _living[id] = new LivingSandbox(state.Process, listener);
        _disks.Add(new WatchedWorkspace(id, state, folder, setup.Cgroups, shared: setup.Users is null));
        return new AgentSandbox(id, listener, new BubblewrapPlace(id, state, folder, setup.Cgroups, () => RemoveAsync(id, CancellationToken.None)));
    }

    private StartProcessRequest Request(BubblewrapSetup setup, SandboxFolder folder, SandboxSpec spec, string id, uint user, ImageRoot? root) => new()
    {
        // The socket directory stands in the open, first: it is by this that the processes of a sandbox are known in a process list.
        Arguments =
        [
            .. root?.Stage(host.AgentPath, images.LayersDirectory) ?? [],
            setup.Program.Path, .. root is null ? ["--dir", "/run"] : new[] { "--bind", root.Mounted, "/", "--tmpfs", "/run" }, "--ro-bind", folder.Agent, BubblewrapArguments.SocketDirectory,
            "--args", BubblewrapArguments.ArgumentsDescriptor.ToString(System.Globalization.CultureInfo.InvariantCulture),
            .. setup.Wall.Entry(user),
            .. SandboxLimits.WithinNamespace(spec, setup.Cgroups, shared: setup.Users is null),
        ],
        WorkingDirectory = "/",
        // The root of an image is mounted by root, who then becomes the sandbox's user by himself.
        UserId = root is null ? setup.Wall.LaunchAs(setup.Users is null ? null : user) : StartProcessRequest.Inherit,
        GroupId = root is null ? setup.Wall.LaunchAs(setup.Users is null ? null : user) : StartProcessRequest.Inherit,
        Files =
        [
            new(0, "/dev/null", false),
            new(1, folder.Console, true),
            new(2, folder.Console, true),
            new(BubblewrapArguments.ArgumentsDescriptor, folder.Arguments, false),
            new(BubblewrapArguments.SeccompDescriptor, setup.SeccompFile, false),
            new(BubblewrapArguments.StatusDescriptor, folder.Status, true),
        ],
        Cgroups = setup.Cgroups.JoinFiles(id),
        Limits = SandboxLimits.OfProcesses(spec, setup.Cgroups, shared: setup.Users is null),
    };

    private ImageRoot MakeRoot(BubblewrapSetup setup, StoredImage image, SandboxFolder folder, uint user, string id)
    {
        if (!setup.Wall.UserNamespace)
            throw new StacyVMException(ProblemKind.ProviderUnavailable, "sandboxes from images need user namespaces, which this host refuses to ordinary users; the image host works without");
        var root = new ImageRoot(image, images.Use(image, folder.Path), folder.Path, user, setup.Users is not null);
        root.Make(id);
        return root;
    }

    private static async Task ArriveAsync(string id, AgentListener listener, LaunchedProgram bwrap, SandboxFolder folder, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<AgentConnection> arrival = listener.GetAsync(StartBound, bound.Token).AsTask();
        if (await Task.WhenAny(arrival, bwrap.Exited).ConfigureAwait(false) == arrival)
        {
            await arrival.ConfigureAwait(false);
            return;
        }
        await bound.CancelAsync().ConfigureAwait(false);
        _ = arrival.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        ProcessExit exit = await bwrap.Exited.ConfigureAwait(false);
        throw new StacyVMException(ProblemKind.ProviderUnavailable, $"bwrap ended with code {exit.ExitCode} before sandbox {id} had started: {Console(folder)}");
    }

    private static string Console(SandboxFolder folder) => folder.ReadConsole(3) is { Count: > 0 } lines ? string.Join("; ", lines) : "it printed nothing";

    private async Task RemoveInTurnAsync(BubblewrapSetup setup, string id)
    {
        _disks.Remove(id);
        _living.TryGetValue(id, out LivingSandbox? known);
        await new BubblewrapRemoval(host, setup).RemoveAsync(id, known?.Process ?? default).ConfigureAwait(false);
        _living.TryRemove(id, out _);
        if (known is not null)
            await known.Listener.DisposeAsync().ConfigureAwait(false);
    }

    private async Task CleanUpAsync(BubblewrapSetup setup, string id)
    {
        try
        {
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is IOException or TimeoutException or UnauthorizedAccessException)
        {
            BubblewrapLog.CleanupFailed(_log, id, cause);
        }
    }

    private async ValueTask<BubblewrapSetup> PrepareAsync(CancellationToken cancellation)
    {
        if (Volatile.Read(ref _setup) is { } done)
            return done;
        await _preparing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_setup is { } meanwhile)
                return meanwhile;
            BubblewrapSetup setup = await BubblewrapSetup.PrepareAsync(host, options, UserNamespaces, cancellation).ConfigureAwait(false);
            NoteUsers(setup);
            BubblewrapLog.Prepared(_log, setup.Program.Version, setup.Cgroups.Unenforced.Count == 0 ? "nothing" : string.Join(", ", setup.Cgroups.Unenforced.Keys));
            Volatile.Write(ref _setup, setup);
            return setup;
        }
        finally
        {
            _preparing.Release();
        }
    }

    /// <summary>Users of sandboxes that live on from an earlier server are not given away again.</summary>
    private void NoteUsers(BubblewrapSetup setup)
    {
        string sandboxes = Path.GetDirectoryName(host.SandboxDirectory("x"))!;
        if (setup.Users is not { } users || !Directory.Exists(sandboxes))
            return;
        foreach (string path in Directory.EnumerateDirectories(sandboxes))
        {
            string id = Path.GetFileName(path);
            if (StacyVM.Protocol.SandboxId.IsSafe(id) && new SandboxFolder(host, id).ReadState() is { } state)
                users.Note(id, state.UserId);
        }
    }

    private sealed record LivingSandbox(ProcessIdentity Process, AgentListener Listener);
}
