using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>
/// Sandboxes with a kernel of their own in user space, built by <c>runsc</c> on this machine and without a container engine: the host's own
/// programs, read-only, or a copy-on-write root of an image; a private <c>/workspace</c>, no network.
/// </summary>
internal sealed class GvisorProvider(AgentHost host, ImageStore images, GvisorOptions options, ILoggerFactory loggers) : ISandboxProvider, IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(30);

    private readonly ILogger _log = loggers.CreateLogger<GvisorProvider>();
    private readonly TurnTaking _turns = new();
    private readonly SemaphoreSlim _preparing = new(1);
    private readonly ConcurrentDictionary<string, Living> _living = new();
    private readonly ConcurrentDictionary<string, bool> _probing = new();
    private readonly GvisorTrial _trial = new();
    private GvisorSetup? _setup;

    public string Name => GvisorSetup.Name;

    public IReadOnlyList<string> Traits { get; } = ["container", "gvisor"];

    public IReadOnlyDictionary<string, string> PublicSettings { get; } = new Dictionary<string, string>
    {
        ["type"] = GvisorSetup.Name,
        ["runsc_path"] = options.RunscPath,
        ["platform"] = options.Platform,
        ["image"] = HostImage.Name,
        ["network_mode"] = "none",
    };

    public async Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            GvisorSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
            string? reservation = await _trial.PassAsync(setup.Program, stop => TryAsync(setup, stop), cancellation).ConfigureAwait(false);
            return new ProviderHealth(true, null, GvisorHealth.Enforced(setup, reservation), [HostImage.Name, .. images.All.SelectMany(image => image.Names)]) { Gaps = GvisorHealth.Gaps(setup, reservation), Automatic = reservation is null };
        }
        catch (Exception cause) when (cause is StacyVMException or IOException or UnauthorizedAccessException or TimeoutException)
        {
            return new ProviderHealth(false, cause.Message);
        }
    }

    public async Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        // 1. Its image, pulled when it is not here; null for the host's own programs.
        StoredImage? image = await ImageChoice.OfAsync(images, spec, progress, cancellation).ConfigureAwait(false);
        GvisorSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);

        // 2. What an earlier attempt left.
        var folder = new GvisorFolder(host, id);
        if (folder.Exists)
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        AgentListener? listener = null;
        try
        {
            // 3. Its directory with the marker, its root, its control groups.
            var state = new GvisorState
            {
                Token = AgentHost.NewToken(),
                CreatedAt = DateTime.UtcNow,
                MemoryMb = spec.MemoryMb,
                DiskMb = spec.DiskMb,
                BootId = ProcessIdentity.BootId,
                Image = image?.Title ?? HostImage.Name,
                UserId = image is null ? HostImage.SandboxUser : images.UserOf(image).Id,
            };
            folder.Make(state);
            ImageRoot? root = image is null ? null : new ImageRoot(image, images.Use(image, folder.Path), folder.Inner, owner: null, privileged: true);
            root?.Make(id);
            folder.WriteBundle(root is null ? setup.Bundle.ForHost(id, state.Token, folder, spec) : setup.Bundle.ForImage(id, state.Token, folder, spec, root));
            setup.Cgroups.Create(id, GvisorLimits.OfGroups(spec));

            // 4. The listener before the agent, so that its first dial succeeds. The sandbox's kernel judges who may connect by the inner user.
            listener = host.Listen(id, state.Token, state.UserId);
            // The launch itself, a millisecond, is not cut off: whether there is something to clean up has to be known.
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            LaunchedProgram runsc = await launcher.LaunchAsync(Request(setup, folder, id, root), CancellationToken.None).ConfigureAwait(false);

            // 5. The agent comes, or runsc says why not.
            await ArriveAsync(id, listener, runsc, folder, cancellation).ConfigureAwait(false);
            ProcessIdentity process = folder.FindProcess()
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
        var state = GvisorState.Parse(Encoding.UTF8.GetBytes(handle.State));
        var folder = new GvisorFolder(host, id);
        if (!state.Process.IsAlive)
            return null;
        GvisorSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        // An earlier object of the same sandbox has lost it: its agent dials one listener.
        if (_living.TryRemove(id, out Living? earlier))
            await earlier.Listener.DisposeAsync().ConfigureAwait(false);
        return Take(setup, id, folder, state, host.Listen(id, state.Token, state.UserId));
    }

    public async Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        if (NothingWasEverMade)
            return [];
        GvisorSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        string sandboxes = Path.GetDirectoryName(host.SandboxDirectory("x"))! + "/";
        var found = new Dictionary<string, ListedRuntime>();

        // 1. Directories with our marker, and half-made ones.
        foreach (string path in Directory.Exists(sandboxes) ? Directory.EnumerateDirectories(sandboxes) : [])
        {
            string name = Path.GetFileName(path);
            bool draft = name.StartsWith(GvisorFolder.DraftPrefix, StringComparison.Ordinal);
            string id = draft ? name[GvisorFolder.DraftPrefix.Length..] : name;
            if (draft)
                found.TryAdd(id, new ListedRuntime(id, Running: false));
            else if (SandboxId.IsSafe(id) && new GvisorFolder(host, id) is var folder && folder.ReadState() is { } state)
            {
                ProcessIdentity? process = _living.TryGetValue(id, out Living? known) && known.Process.IsAlive ? known.Process : folder.FindProcess();
                found[id] = new ListedRuntime(id, process is not null, process is { } alive ? state.With(alive).ToHandle() : null, state.Image, state.CreatedAt);
            }
        }

        // 2. Control groups and processes whose directory is gone.
        IEnumerable<string> started = new[] { sandboxes, "--bundle=" + sandboxes }
            .SelectMany(marker => ProcessScan.Arguments(marker).Select(argument => argument[marker.Length..]))
            .Where(rest => rest.EndsWith(GvisorFolder.BundleSuffix, StringComparison.Ordinal))
            .Select(rest => rest[..^GvisorFolder.BundleSuffix.Length]);
        foreach (string id in setup.Cgroups.List().Concat(started))
            found.TryAdd(id, new ListedRuntime(id, Running: false));
        return [.. found.Values.Where(one => !_probing.ContainsKey(one.Id))];
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        if (NothingWasEverMade)
            return;
        GvisorSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
    }

    /// <summary>On this data directory: what is not installed here need not be there to say so.</summary>
    private bool NothingWasEverMade => Volatile.Read(ref _setup) is null && !Directory.Exists(Path.Combine(host.DataDirectory, GvisorSetup.Name));

    /// <summary>Leaves every sandbox running.</summary>
    public ValueTask DisposeAsync()
    {
        _setup?.Cgroups.RemoveIfEmpty();
        return default;
    }

    private AgentSandbox Take(GvisorSetup setup, string id, GvisorFolder folder, GvisorState state, AgentListener listener)
    {
        _living[id] = new Living(state.Process, listener);
        return new AgentSandbox(id, listener, new GvisorPlace(id, state, folder, setup.Cgroups, () => RemoveAsync(id, CancellationToken.None)));
    }

    private StartProcessRequest Request(GvisorSetup setup, GvisorFolder folder, string id, ImageRoot? root) => new()
    {
        Arguments =
        [
            .. root?.Stage(host.AgentPath, images.LayersDirectory) ?? [],
            .. setup.Program.Flags(folder.RunscRoot, setup.Platform), "run", "--detach", "--pid-file", folder.PidFile, "--bundle", folder.Bundle, id,
        ],
        WorkingDirectory = "/",
        Files = [new(0, folder.Input, true), new(1, folder.Console, true), new(2, folder.Console, true)],
        Cgroups = setup.Cgroups.JoinFiles(id),
        // A dump would be written, or piped to a program, by the host's kernel on the host's terms.
        Limits = [new ResourceLimit(GvisorLimits.Core, 0)],
    };

    /// <summary>The whole way, agent included: what this proves is exactly what a spawn needs.</summary>
    /// <returns>What is wrong with it although it works; null for nothing.</returns>
    private async Task<string?> TryAsync(GvisorSetup setup, CancellationToken cancellation)
    {
        string id = GvisorHealth.NewProbeId();
        _probing[id] = true;
        try
        {
            var spec = new SandboxSpec { Image = HostImage.Name, MemoryMb = 64, Vcpus = 1, DiskMb = 16, PidsLimit = options.PidsLimit };
            ISandbox sandbox = await CreateAsync(id, spec, null, cancellation).ConfigureAwait(false);
            int code;
            await using (IExecSession list = await sandbox.StartAsync(new ExecSpec { Arguments = ["ls", "/"] }, cancellation).ConfigureAwait(false))
            {
                while (await list.ReadAsync(cancellation).ConfigureAwait(false) is not null)
                {
                }
                code = (await list.Exit.WaitAsync(cancellation).ConfigureAwait(false)).Code;
            }
            await sandbox.DestroyAsync(cancellation).ConfigureAwait(false);
            return code == 0 ? null : $"runsc {setup.Program.Version} is older than this machine's programs: even ls fails in it (images with older programs, or with busybox, work)";
        }
        finally
        {
            _probing.TryRemove(id, out _);
        }
    }

    private static async Task ArriveAsync(string id, AgentListener listener, LaunchedProgram runsc, GvisorFolder folder, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<AgentConnection> arrival = listener.GetAsync(StartBound, bound.Token).AsTask();
        // runsc itself ends when it has started the sandbox; the pid file is whole only then.
        if (await Task.WhenAny(arrival, runsc.Exited).ConfigureAwait(false) == arrival)
            await arrival.ConfigureAwait(false);
        try
        {
            ProcessExit exit = await runsc.Exited.WaitAsync(StartBound, cancellation).ConfigureAwait(false);
            if (exit.ExitCode == 0)
            {
                await arrival.ConfigureAwait(false);
                return;
            }
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"runsc ended with code {exit.ExitCode} before sandbox {id} had started: {Console(folder)}");
        }
        catch (TimeoutException)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"runsc did not start sandbox {id} in time: {Console(folder)}");
        }
        finally
        {
            await bound.CancelAsync().ConfigureAwait(false);
            _ = arrival.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        }
    }

    private static string Console(GvisorFolder folder) => folder.ReadConsole(3) is { Count: > 0 } lines ? string.Join("; ", lines) : "it printed nothing";

    private async Task RemoveInTurnAsync(GvisorSetup setup, string id)
    {
        _living.TryGetValue(id, out Living? known);
        await new GvisorRemoval(host, setup).RemoveAsync(id, known?.Process ?? default).ConfigureAwait(false);
        _living.TryRemove(id, out _);
        if (known is not null)
            await known.Listener.DisposeAsync().ConfigureAwait(false);
    }

    private async Task CleanUpAsync(GvisorSetup setup, string id)
    {
        try
        {
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is IOException or TimeoutException or UnauthorizedAccessException)
        {
            GvisorLog.CleanupFailed(_log, id, cause);
        }
    }

    private async ValueTask<GvisorSetup> PrepareAsync(CancellationToken cancellation)
    {
        if (Volatile.Read(ref _setup) is { } done)
            return done;
        await _preparing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_setup is { } meanwhile)
                return meanwhile;
            GvisorSetup setup = await GvisorSetup.PrepareAsync(host, options, cancellation).ConfigureAwait(false);
            GvisorLog.Prepared(_log, setup.Program.Version, setup.Platform, setup.Cgroups.Unenforced.Count == 0 ? "nothing" : string.Join(", ", setup.Cgroups.Unenforced.Keys));
            Volatile.Write(ref _setup, setup);
            return setup;
        }
        finally
        {
            _preparing.Release();
        }
    }

    private sealed record Living(ProcessIdentity Process, AgentListener Listener);
}
