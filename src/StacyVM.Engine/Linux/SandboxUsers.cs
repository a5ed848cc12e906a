using System.Globalization;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Host users of living sandboxes when the server is root: no two sandboxes ever share one, so that even a hole in a namespace leads to a
/// user who owns nothing else.
/// </summary>
internal sealed class SandboxUsers
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, uint> _taken = [];
    private readonly HashSet<uint> _used = [];
    private readonly uint _first;
    private readonly uint _count;
    private uint _next;

    private SandboxUsers(uint first, uint count, uint start)
    {
        _first = first;
        _count = count;
        _next = start % count;
    }

    public uint First => _first;

    public uint Last => _first + _count - 1;

    /// <param name="wantedFirst">First id of the configured range.</param>
    /// <param name="wantedCount">Its length.</param>
    /// <param name="maps">Lines of <c>/proc/self/uid_map</c> and <c>/proc/self/gid_map</c>: ids outside them do not exist here.</param>
    /// <param name="start">Where to begin in the range: servers on one machine begin at different places.</param>
    public static SandboxUsers From(uint wantedFirst, uint wantedCount, IReadOnlyList<IReadOnlyList<string>> maps, uint start)
    {
        (ulong first, ulong end) = (wantedFirst, (ulong)wantedFirst + wantedCount);
        if (!maps.All(map => Ranges(map).Any(range => range.First <= first && end <= range.End)))
        {
            // Inside a container with few ids: its upper ones, below those that distributions give away (65534 is nobody).
            end = maps.Min(map => Ranges(map).Select(range => Math.Min(range.End, 65_534)).DefaultIfEmpty(0UL).Max());
            first = Math.Max(10_000, end > wantedCount ? end - wantedCount : 0);
            if (first + 16 > end)
                throw new StacyVMException(ProblemKind.ProviderUnavailable, "this user namespace has no user ids to spare for sandboxes (see /proc/self/uid_map)");
        }
        return new SandboxUsers((uint)first, (uint)(end - first), start);
    }

    /// <summary>An id that no living sandbox has.</summary>
    public uint Take(string sandbox)
    {
        lock (_lock)
        {
            if (_taken.TryGetValue(sandbox, out uint had))
                return had;
            for (uint tried = 0; tried < _count; tried++)
            {
                uint user = _first + _next;
                _next = (_next + 1) % _count;
                if (_used.Add(user))
                {
                    _taken[sandbox] = user;
                    return user;
                }
            }
        }
        throw new StacyVMException(ProblemKind.ResourceLimit, $"all {_count} host users for sandboxes are taken; providers.bubblewrap.uid_count sets how many there are");
    }

    /// <summary>Notes the id of a sandbox that was there before this server.</summary>
    public void Note(string sandbox, uint user)
    {
        lock (_lock)
        {
            _taken[sandbox] = user;
            _used.Add(user);
        }
    }

    /// <summary>Gives the id of a removed sandbox back.</summary>
    public void Release(string sandbox)
    {
        lock (_lock)
        {
            if (_taken.Remove(sandbox, out uint user))
                _used.Remove(user);
        }
    }

    private static IEnumerable<(ulong First, ulong End)> Ranges(IReadOnlyList<string> map)
    {
        foreach (string line in map)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 3 && ulong.TryParse(fields[0], CultureInfo.InvariantCulture, out ulong first) && ulong.TryParse(fields[2], CultureInfo.InvariantCulture, out ulong count))
                yield return (first, first + count);
        }
    }
}
