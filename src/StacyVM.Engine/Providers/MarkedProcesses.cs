using System.Globalization;
using System.Text;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers;

/// <summary>
/// Ends all that a sandbox started, without a wall to pull down: what descends from its agent, and what carries the sandbox's mark in its
/// environment because its parents have died. A command that drops its environment after its agent was killed from outside escapes.
/// </summary>
internal static class MarkedProcesses
{
    private const int Stop = 19;
    private const int MostPasses = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// 1 stop the agent, so that it neither starts nor reaps; orphans still land below it. 2 Kill what is found until nothing is found.
    /// 3 Kill the agent.
    /// </summary>
    public static async Task EndAsync(string mark, ProcessIdentity agent)
    {
        if (agent.IsAlive)
            _ = Libc.Kill(agent.Pid, Stop);
        for (int pass = 0; ; pass++)
        {
            List<ProcessIdentity> found = Find(mark, agent);
            if (found.Count == 0)
                break;
            if (pass == MostPasses)
                throw new IOException($"{found.Count} processes of the sandbox do not end, among them {found[0].Pid}");
            foreach (ProcessIdentity process in found)
                _ = Libc.Kill(process.Pid, Stop);
            foreach (ProcessIdentity process in found)
                await ProcessExits.KillAsync(process, Patience).ConfigureAwait(false);
        }
        await ProcessExits.KillAsync(agent, Patience).ConfigureAwait(false);
    }

    /// <summary>Host process ids of a sandbox, its agent among them.</summary>
    public static IReadOnlyCollection<int> All(string mark, ProcessIdentity agent) => [agent.Pid, .. Find(mark, agent).Select(process => process.Pid)];

    /// <summary>Living processes of a sandbox, its agent left out.</summary>
    private static List<ProcessIdentity> Find(string mark, ProcessIdentity agent)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(mark + "\0");
        var parents = new Dictionary<int, int>();
        var found = new HashSet<int>();
        foreach (string path in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                continue;
            parents[pid] = ParentOf(path);
            if (HasMark(path, wanted))
                found.Add(pid);
        }
        foreach (int pid in parents.Keys)
        {
            // At most as many steps as there are processes: the picture is not of one instant and could hold a ring.
            int at = pid;
            for (int step = 0; step < parents.Count && at > 1 && at != agent.Pid; step++)
                at = parents.GetValueOrDefault(at);
            if (at == agent.Pid && agent.Pid > 0)
                found.Add(pid);
        }
        found.Remove(agent.Pid);
        return [.. found.Select(ProcessIdentity.Of).OfType<ProcessIdentity>()];
    }

    private static int ParentOf(string path)
    {
        string stat = Encoding.Latin1.GetString(Read(path + "/stat"));
        string[] rest = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return rest.Length > 1 && int.TryParse(rest[1], NumberStyles.None, CultureInfo.InvariantCulture, out int parent) ? parent : 0;
    }

    private static bool HasMark(string path, byte[] wanted)
    {
        ReadOnlySpan<byte> environment = Read(path + "/environ");
        int at = environment.IndexOf(wanted);
        return at == 0 || (at > 0 && environment[at - 1] == 0);
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is another user's.
            return [];
        }
    }
}
