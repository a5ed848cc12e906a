using System.Globalization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>Ends a sandbox and removes it, whatever state it is in and whoever started it.</summary>
internal sealed class ProotRemoval(AgentHost host, ProotSetup setup)
{
    private const int Attempts = 3;
    private const int MostPasses = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="id">The sandbox.</param>
    /// <param name="mark">What its processes carry in their environment.</param>
    public async Task RemoveAsync(string id, string mark)
    {
        var folder = new ProotFolder(host, id);
        ProotState? state = folder.Read();

        // 1. What descends from its agent, and what carries its mark. No namespace ends the rest with its first process.
        await MarkedProcesses.EndAsync(mark, state is { Process.IsAlive: true } ? state.Process : default).ConfigureAwait(false);

        // 2. Whatever else its own user has running.
        if (setup.Users is not null && state is not null)
            await EndUserAsync(state.UserId).ConfigureAwait(false);

        // 3. What is left in its groups. One that joins at the last moment, started by a server that is gone, keeps a group from being removed.
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await setup.Cgroups.KillAsync(id, Patience).ConfigureAwait(false);
                await setup.Cgroups.RemoveAsync(id).ConfigureAwait(false);
                break;
            }
            catch (IOException) when (attempt < Attempts)
            {
            }
        }

        // 4. The rest is dead matter.
        if (state is not null)
            RemoveTracersDirectories(state.UserId);
        folder.Remove();
        setup.Users?.Release(id);
    }

    /// <summary>No other sandbox has this user. What forks while it is looked for is found by the next pass.</summary>
    private static async Task EndUserAsync(uint user)
    {
        for (int pass = 0; ; pass++)
        {
            List<ProcessIdentity> found = [.. ProcessesOf(user)];
            if (found.Count == 0)
                return;
            if (pass == MostPasses)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{found.Count} processes of user {user} do not end, among them {found[0].Pid}"));
            foreach (ProcessIdentity process in found)
                _ = Libc.Kill(process.Pid, Libc.SIGKILL);
            await ProcessExits.WaitAsync(found[^1], Patience).ConfigureAwait(false);
        }
    }

    /// <summary>proot makes itself an empty directory, <c>/tmp/proot-&lt;pid&gt;-…</c>, in a place that cannot be chosen, and leaves it there when it is killed.</summary>
    private static void RemoveTracersDirectories(uint user)
    {
        foreach (string path in Directory.EnumerateDirectories("/tmp", "proot-*"))
        {
            bool ended = Path.GetFileName(path).Split('-') is [_, var pid, _] && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && ProcessIdentity.Of(number) is null;
            // Of an empty directory alone, and never through a link.
            if (ended && FileOwner.Of(path)?.User == user)
                _ = Libc.RemoveDirectory(path);
        }
    }

    private static IEnumerable<ProcessIdentity> ProcessesOf(uint user)
    {
        foreach (string path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && RealUser(path) == user && ProcessIdentity.Of(pid) is { } process)
                yield return process;
        }
    }

    /// <summary>Not the owner of the directory: that is root for a process which closes itself to others.</summary>
    private static uint? RealUser(string path)
    {
        try
        {
            string? line = File.ReadLines(path + "/status").FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal));
            return line?.Split('\t') is [_, var real, ..] && uint.TryParse(real, NumberStyles.None, CultureInfo.InvariantCulture, out uint user) ? user : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile.
            return null;
        }
    }
}
