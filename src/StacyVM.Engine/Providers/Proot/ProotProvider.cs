using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>
/// Sandboxes with a root of their own in user space: <c>proot</c> traces every process and rewrites its paths. It needs neither root nor namespaces,
/// and it is no boundary. The agent runs inside, as on the levels that have a wall; a server that is root gives each sandbox a host user.
/// </summary>
internal sealed class ProotProvider(AgentHost host, ImageStore images, ProotOptions options) : ISandboxProvider, IAsyncDisposable
{
    private const string Env = "/usr/bin/env";
    private const string SocketPath = "/run/stacyvm/agent.sock";
    private const int TokenDescriptor = 3;

    /// <summary>The token comes by a descriptor: proot's own environment can be read by the commands of the sandbox, which are the same user's.</summary>
    private const string Entry = "IFS= read -r " + AgentProtocol.TokenVariable + " <&3; export " + AgentProtocol.TokenVariable + "; exec 3<&-; exec /run/stacyvm-agent traced";

    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(30);

    private readonly TurnTaking _turns = new();
    private readonly Lock _preparing = new();
    private readonly ConcurrentDictionary<string, AgentListener> _living = new();
    private readonly ConcurrentDictionary<string, bool> _probing = new();
    private ProotSetup? _setup;

    public string Name => "proot";

    public IReadOnlyList<string> Traits { get; } = ["userspace_isolation", "no_security_boundary"];

    public IReadOnlyDictionary<string, string> PublicSettings { get; } = new Dictionary<string, string>
    {
        ["type"] = "proot",
        ["proot_binary"] = options.ProotBinary,
        ["image"] = HostImage.Name,
        ["boundary"] = "none",
    };

    public async Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        string id = "probe-" + RandomNumberGenerator.GetHexString(16, lowercase: true);
        _probing[id] = true;
        try
        {
            ProotSetup setup = Prepare();
            var spec = new SandboxSpec { Image = HostImage.Name, MemoryMb = 256, Vcpus = 1, DiskMb = 16 };
            ISandbox sandbox = await CreateAsync(id, spec, null, cancellation).ConfigureAwait(false);
            await sandbox.DestroyAsync(cancellation).ConfigureAwait(false);
            return new ProviderHealth(true, null, setup.Enforced(), [HostImage.Name, .. images.All.SelectMany(image => image.Names)])
            {
                Gaps = ["boundary", "namespaces", "disk", .. setup.Cgroups.Unenforced.Keys, .. setup.Users is null ? ["user"] : Array.Empty<string>()],
            };
        }
        catch (StacyVMException problem)
        {
            return new ProviderHealth(false, problem.Message);
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
        // 1. Its image, pulled when it is not here; null for the host's own programs.
        StoredImage? image = await ImageChoice.OfAsync(images, spec, progress, cancellation).ConfigureAwait(false);
        ProotSetup setup = Prepare();
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);

        // 2. What an earlier attempt left.
        await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        if (!_probing.ContainsKey(id) && _living.Keys.Count(one => !_probing.ContainsKey(one)) >= options.MaxSandboxes)
            throw new StacyVMException(ProblemKind.ResourceLimit, $"there are {options.MaxSandboxes} sandboxes of proot already (providers.proot.max_sandboxes)");
        AgentListener? listener = null;
        try
        {
            // 3. Its user, its directory with the marker, its root, its control groups.
            uint user = setup.Users?.Take(id) ?? Libc.GetEffectiveUserId();
            var folder = new ProotFolder(host, id);
            var state = new ProotState
            {
                UserId = user,
                Token = AgentHost.NewToken(),
                CreatedAt = DateTime.UtcNow,
                MemoryMb = spec.MemoryMb,
                BootId = ProcessIdentity.BootId,
                Image = image?.Title ?? HostImage.Name,
            };
            folder.Make(state, setup.Users is not null);
            ProotRoot root = image is null
                ? new HostRoot(folder, setup.Etc, user)
                : new CopiedRoot(folder, image, images.Use(image, folder.Path), user, setup.Users is not null);
            if (image is not null)
                progress?.Report($"copying {image.Title}: this level cannot mount it");
            await Task.Run(() => root.Make(cancellation), cancellation).ConfigureAwait(false);
            setup.Cgroups.Create(id, SandboxLimits.OfGroups(spec));

            // 4. The listener before the agent. The launch itself is not cut off: whether there is something to clean up has to be known.
            listener = host.Listen(id, state.Token, user);
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            LaunchedProgram proot = await launcher.LaunchAsync(Request(setup, folder, root, spec, id, user), CancellationToken.None).ConfigureAwait(false);

            // 5. The agent comes, or proot says why not.
            await ArriveAsync(id, listener, proot, folder, cancellation).ConfigureAwait(false);
            folder.ForgetToken();
            ProcessIdentity process = ProcessIdentity.Of(listener.PeerPid)
                ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"sandbox {id} ended as soon as it had started: {folder.ConsoleText()}");
            state = state.With(process);
            folder.Write(state);
            return Take(setup, id, folder, state, listener);
        }
        catch (Exception failure)
        {
            if (listener is not null)
                await listener.DisposeAsync().ConfigureAwait(false);
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
            if (failure is IOException { HResult: Libc.ENOSPC or Libc.EDQUOT })
                throw new StacyVMException(ProblemKind.StorageFull, $"sandbox {id} could not be made: {failure.Message}", failure);
            throw;
        }
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        ProotState state = ProotState.Parse(Encoding.UTF8.GetBytes(handle.State))
            ?? throw new StacyVMException(ProblemKind.Internal, $"sandbox {id}: its handle of version {handle.Version} cannot be read");
        if (!state.Process.IsAlive)
            return null;
        ProotSetup setup = Prepare();
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        setup.Users?.Note(id, state.UserId);
        // An earlier object of the same sandbox has lost it: its agent dials one listener.
        if (_living.TryRemove(id, out AgentListener? earlier))
            await earlier.DisposeAsync().ConfigureAwait(false);
        return Take(setup, id, new ProotFolder(host, id), state, host.Listen(id, state.Token, state.UserId));
    }

    public Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        var found = new Dictionary<string, ListedRuntime>();
        foreach (string id in Marked())
        {
            ProotState? state = new ProotFolder(host, id).Read();
            bool running = state?.Process.IsAlive == true;
            found[id] = new ListedRuntime(id, running, running ? state!.ToHandle() : null, state?.Image, state?.CreatedAt);
        }
        // Control groups whose directory is gone.
        foreach (string id in Prepare().Cgroups.List())
            found.TryAdd(id, new ListedRuntime(id, Running: false));
        return Task.FromResult<IReadOnlyList<ListedRuntime>>([.. found.Values.Where(one => !_probing.ContainsKey(one.Id))]);
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        ProotSetup setup = Prepare();
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
    }

    /// <summary>Leaves every sandbox running.</summary>
    public ValueTask DisposeAsync()
    {
        _setup?.Cgroups.RemoveIfEmpty();
        return default;
    }

    private AgentSandbox Take(ProotSetup setup, string id, ProotFolder folder, ProotState state, AgentListener listener)
    {
        _living[id] = listener;
        return new AgentSandbox(id, listener, new ProotPlace(id, state, folder, setup.Cgroups, () => RemoveAsync(id, CancellationToken.None)));
    }

    private StartProcessRequest Request(ProotSetup setup, ProotFolder folder, ProotRoot root, SandboxSpec spec, string id, uint user)
    {
        IEnumerable<KeyValuePair<string, string>> environment =
        [
            new("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), new("LANG", "C.UTF-8"), new("TERM", "xterm-256color"),
            .. root.Environment,
            new(AgentProtocol.WorkdirVariable, root.WorkingDirectory), new(AgentProtocol.DialVariable, "unix:" + SocketPath),
        ];
        return new StartProcessRequest
        {
            Arguments =
            [
                Env, "-i", Mark(id), .. environment.Select(variable => $"{variable.Key}={variable.Value}"),
                setup.Program, "-r", folder.Root, .. root.Bindings(host.AgentPath), "-w", "/", "/bin/sh", "-c", Entry,
            ],
            WorkingDirectory = "/",
            UserId = setup.Users is null ? StartProcessRequest.Inherit : user,
            GroupId = setup.Users is null ? StartProcessRequest.Inherit : user,
            Files = [new(0, "/dev/null", false), new(1, folder.Console, true), new(2, folder.Console, true), new(TokenDescriptor, folder.Token, false)],
            Cgroups = setup.Cgroups.JoinFiles(id),
            Limits = SandboxLimits.OfProcesses(spec, setup.Cgroups, shared: setup.Users is null),
        };
    }

    private static async Task ArriveAsync(string id, AgentListener listener, LaunchedProgram proot, ProotFolder folder, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<AgentConnection> arrival = listener.GetAsync(StartBound, bound.Token).AsTask();
        if (await Task.WhenAny(arrival, proot.Exited).ConfigureAwait(false) == arrival)
        {
            await arrival.ConfigureAwait(false);
            return;
        }
        await bound.CancelAsync().ConfigureAwait(false);
        _ = arrival.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        ProcessExit exit = await proot.Exited.ConfigureAwait(false);
        throw new StacyVMException(ProblemKind.ProviderUnavailable, $"proot ended with code {exit.ExitCode} before sandbox {id} had started: {folder.ConsoleText()}");
    }

    private async Task RemoveInTurnAsync(ProotSetup setup, string id)
    {
        var folder = new ProotFolder(host, id);
        // The other levels keep theirs side by side with ours.
        if (folder.Exists && !folder.IsMarked)
            return;
        await new ProotRemoval(host, setup).RemoveAsync(id, Mark(id)).ConfigureAwait(false);
        if (_living.TryRemove(id, out AgentListener? listener))
            await listener.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Variable that every process of the sandbox inherits, and by which it is found.</summary>
    private string Mark(string id) => $"STACYVM_PROOT={host.InstallationId}/{id}";

    private IEnumerable<string> Marked()
    {
        string sandboxes = Path.Combine(host.DataDirectory, "sandboxes");
        return Directory.Exists(sandboxes)
            ? Directory.EnumerateDirectories(sandboxes).Select(path => Path.GetFileName(path)).Where(id => SandboxId.IsSafe(id) && new ProotFolder(host, id).IsMarked)
            : [];
    }

    private ProotSetup Prepare()
    {
        lock (_preparing)
        {
            if (_setup is not null)
                return _setup;
            ProotSetup setup = ProotSetup.Prepare(host, options);
            // Users of sandboxes that live on from an earlier server are not given away again.
            foreach (string id in Marked())
            {
                if (setup.Users is { } users && new ProotFolder(host, id).Read() is { } state)
                    users.Note(id, state.UserId);
            }
            return _setup = setup;
        }
    }
}
