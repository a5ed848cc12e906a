using System.Globalization;

namespace StacyVM.Engine.Linux.Cgroups;

/// <summary>The installation's group in one hierarchy, with the words of that hierarchy's version.</summary>
internal sealed class CgroupBranch
{
    /// <summary>
    /// Microseconds. In the kernel's own 100 ms, a sandbox of one processor may run on all of them at once for half that time, and its
    /// neighbours wait as long: measured, a fork bomb then costs a neighbour's command 65 ms, and not 25.
    /// </summary>
    private const int CpuPeriod = 10_000;

    private const uint Mode = 0x1ED;
    private readonly Lock _lock = new();
    private readonly string _parent;
    private readonly string _path;
    private readonly bool _unified;

    private CgroupBranch(string parent, string name, CgroupMount mount)
    {
        _parent = parent;
        _path = Path.Combine(parent, name);
        _unified = mount.Version == 2;
        Controllers = mount.Controllers;
    }

    private string FreezeFile => _unified ? "cgroup.freeze" : "freezer.state";

    /// <summary>Controllers that groups in here have.</summary>
    public IReadOnlyList<string> Controllers { get; private set; }

    /// <summary>Makes the installation's group.</summary>
    /// <returns>What could not be had of it, or null.</returns>
    public static string? TryOpen(CgroupMount mount, string name, bool privileged, out CgroupBranch? branch)
    {
        branch = null;
        // Directly below the mount: beside, not inside, the group of the server, which ends with its service. An ordinary user has the
        // nearest group above the server's own that was delegated to him.
        string? parent = privileged ? mount.Path : Delegated(mount);
        if (parent is null)
            return $"no group of {mount.Path} is delegated to this user (systemd-run --user --scope -p Delegate=yes gives one)";
        var made = new CgroupBranch(parent, name, mount);
        if (Libc.MakeDirectory(made._path, Mode) != 0 && Libc.Error != Libc.EEXIST)
            return $"{made._path} cannot be made: {Libc.LastError()}";
        branch = made;
        return made.Enable();
    }

    public void Create(string name, CgroupLimits limits)
    {
        string path = Path.Combine(_path, name);
        lock (_lock)
        {
            // The installation's own group went with the last sandbox before.
            bool made = Libc.MakeDirectory(path, Mode) == 0;
            if (!made && Libc.Error == Libc.ENOENT)
            {
                if (Libc.MakeDirectory(_path, Mode) == 0 && Enable() is { } failure)
                    throw new IOException(failure);
                made = Libc.MakeDirectory(path, Mode) == 0;
            }
            if (!made && Libc.Error != Libc.EEXIST)
                throw new IOException($"cannot make the control group {path}: {Libc.LastError()}");
        }
        if (Controllers.Contains("memory"))
        {
            if (_unified)
            {
                Write(path, "memory.max", limits.MemoryBytes);
                _ = TryWrite(Path.Combine(path, "memory.swap.max"), "0");
            }
            else
            {
                Write(path, "memory.limit_in_bytes", limits.MemoryBytes);
                // Memory and swap together: absent where the kernel does not account swap.
                _ = TryWrite(Path.Combine(path, "memory.memsw.limit_in_bytes"), Text(limits.MemoryBytes));
            }
        }
        if (Controllers.Contains("pids"))
            Write(path, "pids.max", limits.Processes);
        if (!Controllers.Contains("cpu"))
            return;
        if (_unified)
            WriteText(path, "cpu.max", string.Create(CultureInfo.InvariantCulture, $"{(long)limits.Cpus * CpuPeriod} {CpuPeriod}"));
        else
        {
            Write(path, "cpu.cfs_period_us", CpuPeriod);
            Write(path, "cpu.cfs_quota_us", (long)limits.Cpus * CpuPeriod);
        }
    }

    /// <summary>
    /// Of version 1 the file for single threads: a thread that moves itself needs no lock over all forks of the machine, which costs
    /// milliseconds.
    /// </summary>
    public string JoinFile(string name) => Path.Combine(_path, name, _unified ? "cgroup.procs" : "tasks");

    public IEnumerable<int> Processes(string name)
    {
        foreach (string line in ReadLines(Path.Combine(_path, name, "cgroup.procs")))
        {
            if (int.TryParse(line, CultureInfo.InvariantCulture, out int pid) && pid > 0)
                yield return pid;
        }
    }

    /// <summary>Version 2 can kill a whole group in one step, from Linux 5.14 on.</summary>
    public void KillAtOnce(string name)
    {
        if (_unified && Directory.Exists(Path.Combine(_path, name)))
            _ = TryWrite(Path.Combine(_path, name, "cgroup.kill"), "1");
    }

    /// <summary>Of version 1 a controller of its own; of version 2 every group has it, from Linux 5.2 on.</summary>
    public bool HasFreezer => _unified || Controllers.Contains(CgroupTree.Freezer);

    /// <summary>That group can be frozen.</summary>
    public bool Freezes(string name) => HasFreezer && File.Exists(Path.Combine(_path, name, FreezeFile));

    /// <returns>What went wrong, or null.</returns>
    public string? RequestFreeze(string name, bool frozen) =>
        TryWrite(Path.Combine(_path, name, FreezeFile), _unified ? frozen ? "1" : "0" : frozen ? "FROZEN" : "THAWED");

    /// <summary>Whether everything in the group stands still: asking for it is not yet having it.</summary>
    public bool IsFrozen(string name) => _unified
        ? Field(Path.Combine(_path, name, "cgroup.events"), "frozen") == 1
        : ReadLines(Path.Combine(_path, name, FreezeFile)) is ["FROZEN", ..];

    public async Task RemoveAsync(string name)
    {
        string path = Path.Combine(_path, name);
        // The kernel lets go of a group a moment after its last process has ended.
        for (int wait = 1; Libc.RemoveDirectory(path) != 0; wait = Math.Min(wait * 2, 100))
        {
            int error = Libc.Error;
            if (error == Libc.ENOENT)
                return;
            if (error != Libc.EBUSY || wait > 64)
                throw new IOException($"cannot remove the control group {path}: {Libc.LastError()}");
            await Task.Delay(wait).ConfigureAwait(false);
        }
    }

    /// <summary>Removes the installation's own group when no sandbox is in it; it comes again with the next one.</summary>
    public void RemoveIfEmpty()
    {
        lock (_lock)
            _ = Libc.RemoveDirectory(_path);
    }

    public IEnumerable<string> Children() =>
        Directory.Exists(_path) ? Directory.EnumerateDirectories(_path).Select(path => Path.GetFileName(path)) : [];

    public long OutOfMemoryKills(string name) => Controllers.Contains("memory")
        ? Field(Path.Combine(_path, name, _unified ? "memory.events" : "memory.oom_control"), "oom_kill") ?? 0
        : 0;

    public CgroupUsage AddUsage(string name, CgroupUsage usage)
    {
        string path = Path.Combine(_path, name);
        if (_unified && Field(Path.Combine(path, "cpu.stat"), "usage_usec") is { } microseconds)
            usage = usage with { CpuTime = usage.CpuTime ?? TimeSpan.FromMicroseconds(microseconds) };
        else if (Controllers.Contains("cpuacct") && Number(path, "cpuacct.usage") is { } nanoseconds)
            usage = usage with { CpuTime = TimeSpan.FromTicks(nanoseconds / 100) };
        if (Controllers.Contains("memory") && Number(path, _unified ? "memory.current" : "memory.usage_in_bytes") is { } bytes)
        {
            long droppable = Field(Path.Combine(path, "memory.stat"), _unified ? "inactive_file" : "total_inactive_file") ?? 0;
            usage = usage with { MemoryBytes = Math.Max(0, bytes - droppable) };
        }
        if (Controllers.Contains("pids") && Number(path, "pids.current") is { } processes)
            usage = usage with { Processes = (int)processes };
        return usage;
    }

    /// <summary>Version 2 hands controllers down one by one, from parent to child.</summary>
    private string? Enable()
    {
        if (!_unified)
            return null;
        string? failure = null;
        var enabled = new List<string>();
        foreach (string controller in Controllers)
        {
            string? refused = TryWrite(Path.Combine(_parent, "cgroup.subtree_control"), "+" + controller)
                ?? TryWrite(Path.Combine(_path, "cgroup.subtree_control"), "+" + controller);
            if (refused is null)
                enabled.Add(controller);
            else
                failure = refused;
        }
        Controllers = enabled;
        return failure;
    }

    private static string? Delegated(CgroupMount mount)
    {
        if (mount.Version == 1)
            return null;
        string path = mount.Path + mount.Own.TrimEnd('/');
        // A group that holds processes cannot give controllers to groups inside it: the search begins above our own.
        while (Path.GetDirectoryName(path) is { } parent && parent.Length > mount.Path.Length)
        {
            if (Libc.Access(parent, 2) == 0 && Libc.Access(Path.Combine(parent, "cgroup.procs"), 2) == 0
                && ReadLines(Path.Combine(parent, "cgroup.procs")).Length == 0)
                return parent;
            path = parent;
        }
        return null;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Write(string path, string file, long value) => WriteText(path, file, Text(value));

    private static void WriteText(string path, string file, string value)
    {
        if (TryWrite(Path.Combine(path, file), value) is { } failure)
            throw new IOException(failure);
    }

    private static string? TryWrite(string file, string value)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(value));
            return null;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return $"{file} does not take \"{value}\": {cause.Message}";
        }
    }

    private static long? Number(string path, string file) =>
        ReadLines(Path.Combine(path, file)) is [string first, ..] && long.TryParse(first, CultureInfo.InvariantCulture, out long value) ? value : null;

    private static long? Field(string file, string name)
    {
        foreach (string line in ReadLines(file))
        {
            int space = line.IndexOf(' ');
            if (space > 0 && line.AsSpan(0, space).SequenceEqual(name) && long.TryParse(line.AsSpan(space + 1), CultureInfo.InvariantCulture, out long value))
                return value;
        }
        return null;
    }

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // The group, or with it the file, is gone.
            return [];
        }
    }
}
