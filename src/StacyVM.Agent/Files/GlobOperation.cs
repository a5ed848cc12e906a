using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>
/// Finds paths by a pattern. Directories that <c>**</c> walks through are never links, so no ring can hold it; what it looks at is bounded.
/// </summary>
internal sealed unsafe class GlobOperation(LinuxPath pattern, uint limit) : IOperation
{
    private const int MostEntries = 2_000_000;
    private const int MostComponents = 256;
    private const byte KindUnknown = 0, KindDirectory = 4, KindLink = 10;

    private readonly List<LinuxPath> _matches = [];
    private readonly Stack<(LinuxPath Directory, int Index)> _pending = new();
    private readonly List<GlobPattern> _components = [];
    private int _seen;

    public void Run(WorkChannel work)
    {
        ReadOnlySpan<byte> rest = pattern.Bytes;
        foreach (Range range in rest.Split((byte)'/'))
        {
            if (rest[range].IsEmpty)
                continue;
            var component = new GlobPattern(rest[range]);
            if (!(component.IsRecursive && _components is [.., { IsRecursive: true }]))
                _components.Add(component);
        }
        if (_components.Count > MostComponents)
            throw new OperationFailure(AgentStatus.InvalidArgument, "the pattern has more than 256 components");
        _pending.Push((LinuxPath.Of("/"u8), 0));
        while (_matches.Count < limit && _pending.TryPop(out (LinuxPath Directory, int Index) next))
            Step(next.Directory, next.Index, work);
        _matches.Sort(static (a, b) => a.Bytes.SequenceCompareTo(b.Bytes));
        LinuxPath? previous = null;
        foreach (LinuxPath match in _matches)
        {
            // Two recursive components can reach one path in several ways.
            if (previous is { } p && p.Bytes.SequenceEqual(match.Bytes))
                continue;
            previous = match;
            work.SendRecord(w => w.Blob(match.Bytes));
        }
    }

    /// <summary>What a directory holds that matches from one component of the pattern on.</summary>
    private void Step(LinuxPath directory, int index, WorkChannel work)
    {
        if (index == _components.Count)
        {
            _matches.Add(directory);
            return;
        }
        GlobPattern component = _components[index];
        bool last = index == _components.Count - 1;
        if (component.IsLiteral)
        {
            LinuxPath next = directory.Append(component.Text);
            if (FileStatusReader.Read(next, follow: !last, out FileStatus status) == 0 && (last || status.IsDirectory))
                _pending.Push((next, index + 1));
            return;
        }
        if (component.IsRecursive && !last)
            _pending.Push((directory, index + 1));
        Search(directory, index, component, last, work);
    }

    private void Search(LinuxPath directory, int index, GlobPattern component, bool last, WorkChannel work)
    {
        // A directory that may not be read has no matches, as in a shell.
        int fd = Descriptor.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        if (fd < 0)
            return;
        var found = new List<(byte[] Name, bool IsDirectory, bool IsLink)>();
        using (var reader = new DirectoryReader(fd))
        {
            while (reader.Next(out ReadOnlySpan<byte> name, out byte kind))
            {
                if (++_seen > MostEntries)
                    throw new OperationFailure(AgentStatus.ResourceLimit, "the pattern looks at more than 2,000,000 files");
                work.ThrowIfGivenUp();
                bool matches = component.IsRecursive ? name[0] != '.' : component.Matches(name);
                if (!matches)
                    continue;
                byte[] copy = name.ToArray();
                found.Add((copy, IsDirectory(directory, copy, kind, out bool link), link));
            }
        }
        foreach ((byte[] name, bool isDirectory, bool isLink) in found)
        {
            LinuxPath path = directory.Append(name);
            if (last && _matches.Count < limit)
                _matches.Add(path);
            if (component.IsRecursive ? isDirectory && !isLink : isDirectory && !last)
                _pending.Push((path, component.IsRecursive ? index : index + 1));
        }
    }

    private static bool IsDirectory(LinuxPath directory, byte[] name, byte kind, out bool link)
    {
        link = kind == KindLink;
        if (kind is not (KindUnknown or KindLink))
            return kind == KindDirectory;
        LinuxPath path = directory.Append(name);
        if (kind == KindUnknown && FileStatusReader.Read(path, follow: false, out FileStatus own) == 0)
            link = own.IsLink;
        return FileStatusReader.Read(path, follow: true, out FileStatus target) == 0 && target.IsDirectory;
    }
}
