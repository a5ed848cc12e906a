using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>
/// Sandboxes that are machines: a kernel of their own, a read-only disk of an image below a disk of their own, our agent as first process, no
/// network. Which program runs the machines is its monitor's business.
/// </summary>
internal sealed partial class MicroVmProvider(AgentHost host, ImageStore images, MicroVmKind kind, ILoggerFactory loggers) : ISandboxProvider
{
    private static readonly TimeSpan TrialFreshness = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan TrialPatience = TimeSpan.FromSeconds(60);

    private readonly ILogger _log = loggers.CreateLogger<MicroVmProvider>();
    private readonly TurnTaking _turns = new();
    private readonly SemaphoreSlim _preparing = new(1);
    private readonly ConcurrentDictionary<string, Living> _living = new();
    private readonly Lock _trialLock = new();
    private MachineSetup? _setup;
    private Task<string?>? _trial;
    private long _trialAt;
    private BootTemplates? _templates;

    public string Name => kind.Name;

    public IReadOnlyList<string> Traits { get; } = ["microvm"];

    public IReadOnlyDictionary<string, string> PublicSettings => kind.PublicSettings;

    /// <summary>Where started machines are kept for those after them; null: in the data directory.</summary>
    public string? TemplateDirectory { get; init; }

    private BootTemplates Templates => _templates ??= new BootTemplates(TemplateDirectory ?? Path.Combine(MachineSetup.DirectoryOf(host), "templates"));

    public async Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
            ScratchDisk.Program();
            // A start costs a processor for a second or, emulated, for several: what was seen holds for a while. One that takes longer than
            // the caller waits goes on, for the next who asks.
            if (await TrialAsync(setup).WaitAsync(cancellation).ConfigureAwait(false) is { } fault)
                return new ProviderHealth(false, fault);
            return MachineHealth.Of(setup, [.. images.All.SelectMany(image => image.Names)]);
        }
        catch (StacyVMException problem)
        {
            return new ProviderHealth(false, problem.Message);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or TimeoutException)
        {
            return new ProviderHealth(false, cause.Message);
        }
    }

    public async Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        // 1. Its image, pulled when it is not here, and the disk of it, made when there is none.
        StoredImage image = await ImageOfAsync(spec, progress, cancellation).ConfigureAwait(false);
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        string rootDisk = await images.DiskAsync(image, progress, cancellation).ConfigureAwait(false);
        (GuestProfile guest, IReadOnlyList<KeyValuePair<string, string>> files) = GuestPerson.Of(image, images.LayersOf(image));

        // 2. A machine of that image and size that has been started before, or the turn to start the first.
        string key = BootTemplates.KeyOf(setup, image, guest, spec);
        for (int attempt = 1; ; attempt++)
        {
            IDisposable? making = null;
            SavedFolder? template = Templates.Find(key);
            if (template is null)
            {
                making = await Templates.TakeTurnAsync(key, cancellation).ConfigureAwait(false);
                template = Templates.Find(key);
            }
            using (making)
            {
                try
                {
                    return await BuildAsync(setup, id, spec, new Origin(image, rootDisk, guest, files, template?.Saved(), template is null ? key : null), cancellation).ConfigureAwait(false);
                }
                catch (StacyVMException problem) when (template is not null && attempt == 1 && problem.Kind == ProblemKind.ProviderUnavailable)
                {
                    MicroVmLog.TemplateUnusable(_log, id, problem);
                    template.Remove();
                }
            }
        }
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        MachineState state = MachineState.TryParse(Encoding.UTF8.GetBytes(handle.State)) ?? throw new InvalidDataException($"the stored handle of a {Name} sandbox cannot be read");
        if (!state.Process.IsAlive)
            return null;
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        setup.Users?.Note(id, state.UserId);
        if (_living.TryRemove(id, out Living? earlier))
            await earlier.Link.DisposeAsync().ConfigureAwait(false);
        MachineFolder folder = FolderOf(id);
        var link = new PortLink(id, state.Token, stop => setup.Monitor.OpenAgentAsync(folder, stop));
        if (!folder.IsPaused)
            _ = GoOnAsync(setup, folder, link, CancellationToken.None);
        return Take(setup, folder, state, link);
    }

    public async Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        string sandboxes = Path.GetDirectoryName(host.SandboxDirectory("x"))!;
        string draftPrefix = MachineFolder.DraftPrefix(Name);
        var found = new Dictionary<string, ListedRuntime>();

        // 1. Directories with our marker, and half-made ones.
        foreach (string path in Directory.Exists(sandboxes) ? Directory.EnumerateDirectories(sandboxes) : [])
        {
            string name = Path.GetFileName(path);
            if (name.StartsWith(draftPrefix, StringComparison.Ordinal))
                found.TryAdd(name[draftPrefix.Length..], new ListedRuntime(name[draftPrefix.Length..], Running: false));
            else if (SandboxId.IsSafe(name) && FolderOf(name).ReadState() is { } state)
                found[name] = new ListedRuntime(name, state.Process.IsAlive, state.Process.IsAlive ? state.ToHandle() : null, state.Image, state.CreatedAt);
        }

        // 2. Control groups and processes whose directory is gone.
        string mark = MachineFolder.ProcessMarkPrefix(host);
        IEnumerable<string> started = ProcessScan.Arguments(mark).Select(argument => argument[mark.Length..].Split('/')[0]);
        foreach (string id in setup.Cgroups.List().Concat(started).Where(SandboxId.IsSafe))
            found.TryAdd(id, new ListedRuntime(id, Running: false));
        return [.. found.Values];
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
    }

    /// <summary>1 what an earlier attempt left, 2 directory and disk, 3 the machine, 4 the template, 5 its identity.</summary>
    private async Task<ISandbox> BuildAsync(MachineSetup setup, string id, SandboxSpec spec, Origin origin, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        // 1.
        MachineFolder folder = FolderOf(id);
        if (folder.Exists)
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        PortLink? link = null;
        try
        {
            // 2.
            var state = new MachineState
            {
                Monitor = Name,
                UserId = setup.Users?.Take(id) ?? Libc.GetEffectiveUserId(),
                Token = AgentHost.NewToken(),
                CreatedAt = DateTime.UtcNow,
                MemoryMb = spec.MemoryMb,
                Vcpus = spec.Vcpus,
                DiskMb = spec.DiskMb,
                Image = origin.Image.Title,
                ImageDigest = origin.Image.Digest.ToString(),
                Guest = origin.Guest,
                BootId = ProcessIdentity.BootId,
            };
            folder.Make(state);
            images.Use(origin.Image, folder.Path);
            if (origin.From is { } saved)
                await Task.Run(() => SparseCopy.Copy(saved.Disk, folder.Disk, cancellation), cancellation).ConfigureAwait(false);
            else
                await ScratchDisk.MakeAsync(folder.Disk, spec.DiskMb, cancellation).ConfigureAwait(false);

            // 3.
            var start = new MachineStart(host, setup);
            (state, link, AgentConnection agent) = await start.RunAsync(folder, state, origin.RootDisk, origin.From?.State, origin.From?.Token ?? "", cancellation).ConfigureAwait(false);

            // 4. Before it is anybody. It goes on as the sandbox that was asked for.
            if (origin.TemplateKey is { } key && await SaveTemplateAsync(setup, key, folder, state, link, cancellation).ConfigureAwait(false))
                agent = await link.GetAsync(cancellation).ConfigureAwait(false);

            // 5.
            await GuestPerson.TellAsync(folder, link, agent, state, origin.Files, spec.PidsLimit, cancellation).ConfigureAwait(false);
            return Take(setup, folder, state, link);
        }
        catch (Exception failure)
        {
            if (link is not null)
                await link.DisposeAsync().ConfigureAwait(false);
            await CleanUpAsync(setup, id).ConfigureAwait(false);
            if (failure is IOException { HResult: Libc.ENOSPC or Libc.EDQUOT })
                throw new StacyVMException(ProblemKind.StorageFull, $"sandbox {id} could not be made: {failure.Message}", failure);
            throw;
        }
    }

    /// <returns>Whether the line to the agent has been closed.</returns>
    private async Task<bool> SaveTemplateAsync(MachineSetup setup, string key, MachineFolder folder, MachineState state, PortLink link, CancellationToken cancellation)
    {
        // Saved with nobody on the line, so that each copy begins a new conversation.
        link.HangUp();
        await setup.Monitor.PauseAsync(folder, cancellation).ConfigureAwait(false);
        try
        {
            await Templates.SaveAsync(key, setup, folder, state, cancellation).ConfigureAwait(false);
            MicroVmLog.TemplateMade(_log, state.Image);
        }
        catch (Exception cause) when (cause is IOException or StacyVMException)
        {
            // The sandbox itself can do without.
            MicroVmLog.TemplateFailed(_log, folder.Id, cause);
        }
        await setup.Monitor.ResumeAsync(folder, cancellation).ConfigureAwait(false);
        return true;
    }

    private AgentSandbox Take(MachineSetup setup, MachineFolder folder, MachineState state, PortLink link)
    {
        host.Adopt(link);
        _living[folder.Id] = new Living(state, link);
        return new AgentSandbox(folder.Id, link, new MachinePlace(state, folder, setup.Cgroups, () => RemoveAsync(folder.Id, CancellationToken.None)));
    }

    /// <summary>After a save, this server's or that of one which was killed meanwhile. On a machine that runs it changes nothing.</summary>
    private async Task GoOnAsync(MachineSetup setup, MachineFolder folder, PortLink link, CancellationToken cancellation)
    {
        try
        {
            await setup.Monitor.ResumeAsync(folder, cancellation).ConfigureAwait(false);
            await GuestPerson.HoldAsync(folder.Id, link, hold: false, cancellation).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is IOException or StacyVMException or OperationCanceledException)
        {
            MicroVmLog.NotResumed(_log, folder.Id, cause);
        }
    }

    private async Task<StoredImage> ImageOfAsync(SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (spec.Image != "host")
            return await images.EnsureAsync(spec.Image, progress, cancellation).ConfigureAwait(false);
        string here = string.Join(", ", images.All.Where(image => image.Names.Count > 0).Select(image => image.Title));
        throw new StacyVMException(ProblemKind.InvalidInput, $"a machine of {Name} has no access to the programs of this one, so it cannot run \"host\"; name an image ({(here.Length == 0 ? "none is here yet: stacyvm image pull or stacyvm image import brings one" : $"here are: {here}")})");
    }

    private MachineFolder FolderOf(string id) => new(host, Name, id);

    private async Task RemoveInTurnAsync(MachineSetup setup, string id)
    {
        MachineFolder folder = FolderOf(id);
        _living.TryGetValue(id, out Living? known);
        await MachineRemoval.RemoveAsync(setup, folder, known?.State.Process ?? folder.ReadState()?.Process ?? default).ConfigureAwait(false);
        _living.TryRemove(id, out _);
        if (known is null)
            return;
        host.Forget(known.Link);
        await known.Link.DisposeAsync().ConfigureAwait(false);
    }

    private async Task CleanUpAsync(MachineSetup setup, string id)
    {
        try
        {
            await RemoveInTurnAsync(setup, id).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is IOException or TimeoutException or UnauthorizedAccessException)
        {
            MicroVmLog.CleanupFailed(_log, id, cause);
        }
    }

    private Task<string?> TrialAsync(MachineSetup setup)
    {
        lock (_trialLock)
        {
            bool stale = _trial is null || (_trial.IsCompleted && (_trial is not { IsCompletedSuccessfully: true, Result: null } || Environment.TickCount64 - _trialAt > TrialFreshness.TotalMilliseconds));
            if (stale)
            {
                _trialAt = Environment.TickCount64;
                _trial = MachineTrial.RunAsync(host, setup.Monitor, setup.KernelFile, setup.InitramfsFile, TrialPatience, CancellationToken.None);
            }
            return _trial!;
        }
    }

    private async ValueTask<MachineSetup> PrepareAsync(CancellationToken cancellation)
    {
        if (Volatile.Read(ref _setup) is { } done)
            return done;
        await _preparing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_setup is { } meanwhile)
                return meanwhile;
            MachineSetup setup = await kind.PrepareAsync(host, cancellation).ConfigureAwait(false);
            NoteUsers(setup);
            MicroVmLog.Prepared(_log, setup.Monitor.Description, setup.Kernel.Version, setup.Cgroups.Unenforced.Count == 0 ? "nothing" : string.Join(", ", setup.Cgroups.Unenforced.Keys));
            Volatile.Write(ref _setup, setup);
            return setup;
        }
        finally
        {
            _preparing.Release();
        }
    }

    /// <summary>Users of machines that live on from an earlier server are not given away again.</summary>
    private void NoteUsers(MachineSetup setup)
    {
        string sandboxes = Path.GetDirectoryName(host.SandboxDirectory("x"))!;
        if (setup.Users is not { } users || !Directory.Exists(sandboxes))
            return;
        foreach (string id in Directory.EnumerateDirectories(sandboxes).Select(path => Path.GetFileName(path)).Where(SandboxId.IsSafe))
        {
            if (FolderOf(id).ReadState() is { } state)
                users.Note(id, state.UserId);
        }
    }

    private sealed record Living(MachineState State, PortLink Link);

    /// <summary>What a machine is made from.</summary>
    /// <param name="Image">Of its root.</param>
    /// <param name="RootDisk">That image as a disk.</param>
    /// <param name="Guest">Who commands are.</param>
    /// <param name="Files">Of <c>/etc</c>; none where they are there already.</param>
    /// <param name="From">A saved machine to go on from.</param>
    /// <param name="TemplateKey">To be saved under after its start.</param>
    private sealed record Origin(
        StoredImage Image, string RootDisk, GuestProfile Guest, IReadOnlyList<KeyValuePair<string, string>> Files, SavedFiles? From, string? TemplateKey);
}
