using System.Globalization;

namespace StacyVM.Engine.Linux.Cgroups;

/// <summary>What a sandbox may use.</summary>
internal readonly record struct CgroupLimits(long MemoryBytes, int Cpus, int Processes);

/// <summary>
/// The control groups of one kind of sandbox of this installation: <c>stacyvm-INSTALLATION/ID.KIND</c> in every hierarchy that is there and
/// writable. What could not be had is told by <see cref="Unenforced"/>, never passed over.
/// </summary>
internal sealed class CgroupTree
{
    /// <summary>The controller of version 1 that lets groups stand still.</summary>
    internal const string Freezer = "freezer";

    private static readonly string[] Wanted = ["memory", "cpu", "pids"];
    private readonly List<CgroupBranch> _branches = [];
    private readonly Dictionary<string, string> _unenforced = [];
    private readonly string _suffix;

    private CgroupTree(string kind) => _suffix = "." + kind;

    /// <summary>Controllers that are not to be had here, each with the reason.</summary>
    public IReadOnlyDictionary<string, string> Unenforced => _unenforced;

    /// <summary>True when every sandbox has at least one group, so that all its processes can be found and killed by it.</summary>
    public bool Any => _branches.Count > 0;

    public bool Enforces(string controller) => _branches.Exists(branch => branch.Controllers.Contains(controller));

    /// <summary>Makes the installation's own group in each hierarchy where that is allowed.</summary>
    public static CgroupTree Open(string installation, string kind, IReadOnlyList<CgroupMount> mounts, bool privileged)
    {
        var tree = new CgroupTree(kind);
        foreach (CgroupMount mount in mounts)
        {
            // Beside version 1, a version 2 without controllers would only cost time at each start.
            if (mount.Controllers.Count == 0 && mounts.Count > 1)
                continue;
            string? failure = CgroupBranch.TryOpen(mount, "stacyvm-" + installation, privileged, out CgroupBranch? branch);
            if (branch is not null)
                tree._branches.Add(branch);
            foreach (string controller in mount.Controllers.Where(Wanted.Contains))
            {
                if (branch?.Controllers.Contains(controller) != true)
                    tree._unenforced[controller] = failure ?? $"{mount.Path} does not offer the controller to its groups";
            }
        }
        foreach (string controller in Wanted)
        {
            if (!tree.Enforces(controller))
                tree._unenforced.TryAdd(controller, "the kernel has no such cgroup controller mounted");
        }
        return tree;
    }

    /// <summary>Makes the groups of a sandbox and sets its limits.</summary>
    public void Create(string id, CgroupLimits limits)
    {
        foreach (CgroupBranch branch in _branches)
            branch.Create(id + _suffix, limits);
    }

    /// <summary>Files through which a process that is single-threaded puts itself into the sandbox's groups.</summary>
    public IReadOnlyList<string> JoinFiles(string id) => [.. _branches.Select(branch => branch.JoinFile(id + _suffix))];

    /// <summary>Host process ids in any of the sandbox's groups.</summary>
    public IReadOnlyList<int> Processes(string id)
    {
        var found = new SortedSet<int>();
        foreach (CgroupBranch branch in _branches)
            found.UnionWith(branch.Processes(id + _suffix));
        return [.. found];
    }

    /// <summary>Kills everything in the sandbox's groups and waits until all of it has ended.</summary>
    public async Task KillAsync(string id, TimeSpan patience)
    {
        long deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        foreach (CgroupBranch branch in _branches)
            branch.KillAtOnce(id + _suffix);
        // A fork bomb outruns one pass over its ids: pass after pass, until nothing is left.
        while (Processes(id) is { Count: > 0 } alive)
        {
            ProcessIdentity? last = null;
            foreach (int pid in alive)
            {
                last = ProcessIdentity.Of(pid) ?? last;
                _ = Libc.Kill(pid, Libc.SIGKILL);
            }
            // What stands still does not end, in version 1 not even when it is killed.
            Thaw(id);
            if (Environment.TickCount64 > deadline)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{alive.Count} processes of {id} do not end, among them process {alive[0]}"));
            if (last is { } process)
                await ProcessExits.WaitAsync(process, patience).ConfigureAwait(false);
            else
                await Task.Delay(1).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Removes the groups of a sandbox, which must be empty of processes, and with the last one the installation's own. Groups that are not
    /// there are no error.
    /// </summary>
    public async Task RemoveAsync(string id)
    {
        foreach (CgroupBranch branch in _branches)
        {
            await branch.RemoveAsync(id + _suffix).ConfigureAwait(false);
            branch.RemoveIfEmpty();
        }
    }

    /// <summary>Removes the installation's own groups where no sandbox is left in them.</summary>
    public void RemoveIfEmpty()
    {
        foreach (CgroupBranch branch in _branches)
            branch.RemoveIfEmpty();
    }

    /// <summary>True when the sandboxes that are made from now on can be frozen.</summary>
    public bool Freezes => _branches.Exists(branch => branch.HasFreezer);

    /// <summary>True when the sandbox's processes can be made to stand still all at once.</summary>
    public bool CanFreeze(string id) => _branches.Exists(branch => branch.Freezes(id + _suffix));

    /// <summary>Lets all processes of a sandbox stand still, and returns when they do.</summary>
    /// <exception cref="TimeoutException">They do not; they run on.</exception>
    public async Task FreezeAsync(string id, TimeSpan patience, CancellationToken cancellation)
    {
        CgroupBranch branch = _branches.Find(branch => branch.Freezes(id + _suffix)) ?? throw new IOException($"{id} has no control group that can be frozen");
        if (branch.RequestFreeze(id + _suffix, frozen: true) is { } failure)
            throw new IOException(failure);
        long deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        try
        {
            for (int wait = 1; !branch.IsFrozen(id + _suffix); wait = Math.Min(wait * 2, 50))
            {
                if (Environment.TickCount64 > deadline)
                    throw new TimeoutException($"the processes of {id} do not come to a standstill");
                await Task.Delay(wait, cancellation).ConfigureAwait(false);
            }
        }
        catch
        {
            Thaw(id);
            throw;
        }
    }

    /// <summary>Lets them run again; those that run already go on.</summary>
    public void Thaw(string id)
    {
        foreach (CgroupBranch branch in _branches.Where(branch => branch.Freezes(id + _suffix)))
            _ = branch.RequestFreeze(id + _suffix, frozen: false);
    }

    /// <summary>Whether all of them stand still.</summary>
    public bool IsFrozen(string id) => _branches.Exists(branch => branch.Freezes(id + _suffix) && branch.IsFrozen(id + _suffix));

    /// <summary>Ids of all sandboxes that have a group.</summary>
    public IReadOnlyCollection<string> List()
    {
        var found = new HashSet<string>();
        foreach (string name in _branches.SelectMany(branch => branch.Children()))
        {
            if (name.EndsWith(_suffix, StringComparison.Ordinal))
                found.Add(name[..^_suffix.Length]);
        }
        return found;
    }

    /// <summary>How often the kernel killed something of the sandbox for want of memory.</summary>
    public long OutOfMemoryKills(string id) => _branches.Max(branch => (long?)branch.OutOfMemoryKills(id + _suffix)) ?? 0;

    /// <summary>Usage as far as there are controllers for it; null for the rest.</summary>
    public CgroupUsage Usage(string id)
    {
        var usage = new CgroupUsage();
        foreach (CgroupBranch branch in _branches)
            usage = branch.AddUsage(id + _suffix, usage);
        return usage;
    }
}

/// <param name="CpuTime">Of all processes since the sandbox's start.</param>
/// <param name="MemoryBytes">Charged now, page cache that could be dropped left out.</param>
/// <param name="Processes">Processes and threads.</param>
internal readonly record struct CgroupUsage(TimeSpan? CpuTime, long? MemoryBytes, int? Processes);
