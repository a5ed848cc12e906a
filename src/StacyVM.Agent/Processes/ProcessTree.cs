using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>The process tree as <c>/proc</c> shows it, and how to end a part of it for good.</summary>
internal sealed unsafe class ProcessTree
{
    private const int MostPasses = 64;
    private readonly Dictionary<int, List<int>> _children = [];

    /// <summary>
    /// Stops everything below the roots until no new process appears, then kills it: what is stopped can neither fork nor flee. The roots
    /// themselves are left alone. True when nothing was found.
    /// </summary>
    /// <param name="roots">Their descendants end.</param>
    /// <param name="mark">Children of the agent that have this <see cref="OrphanMark"/> end, too; 0: none.</param>
    internal static bool KillBelow(ReadOnlySpan<int> roots, long mark = 0)
    {
        var stopped = new HashSet<int>();
        for (int pass = 0; pass < MostPasses; pass++)
        {
            ProcessTree tree = Read();
            int before = stopped.Count;
            foreach (int root in roots)
                tree.Visit(root, Halt);
            foreach (int orphan in mark != 0 ? tree.ChildrenOf(Libc.GetProcessId()) : [])
            {
                if (!OrphanMark.IsOn(orphan, mark))
                    continue;
                Halt(orphan);
                tree.Visit(orphan, Halt);
            }
            if (stopped.Count == before)
                break;
        }
        foreach (int pid in stopped)
            Libc.Kill(pid, Signals.Kill);
        return stopped.Count == 0;

        void Halt(int pid)
        {
            if (stopped.Add(pid))
                Libc.Kill(pid, Signals.Stop);
        }
    }

    /// <summary>
    /// Ends every child of the agent that is none of its own, with all below it: such a process lost its supervisor. True when there
    /// was none.
    /// </summary>
    internal static bool KillStrays(int agent, IReadOnlySet<int> own)
    {
        var strays = new List<int>();
        foreach (int child in Read().ChildrenOf(agent))
            if (!own.Contains(child))
                strays.Add(child);
        foreach (int stray in strays)
            Libc.Kill(stray, Signals.Stop);
        KillBelow(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(strays));
        foreach (int stray in strays)
            Libc.Kill(stray, Signals.Kill);
        return strays.Count == 0;
    }

    internal static ProcessTree Read()
    {
        var tree = new ProcessTree();
        ProcessFiles.ForEach((pid, status) =>
        {
            // A zombie is dead already; only its parent can make it go.
            if (status.IsDead)
                return;
            if (!tree._children.TryGetValue(status.Parent, out List<int>? siblings))
                tree._children.Add(status.Parent, siblings = []);
            siblings.Add(pid);
        });
        return tree;
    }

    internal IReadOnlyList<int> ChildrenOf(int pid) => _children.TryGetValue(pid, out List<int>? children) ? children : [];

    private void Visit(int root, Action<int> visit)
    {
        var pending = new Stack<int>(ChildrenOf(root));
        var seen = new HashSet<int>();
        while (pending.TryPop(out int pid))
        {
            // The picture is not taken in one instant, so a reused number could close a ring.
            if (!seen.Add(pid))
                continue;
            visit(pid);
            foreach (int child in ChildrenOf(pid))
                pending.Push(child);
        }
    }
}
