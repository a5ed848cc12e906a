using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>What many idle sandboxes hold of this machine's memory.</summary>
internal static class Density
{
    private const int AtATime = 8;

    /// <param name="BytesPerSandbox">All processes of a sandbox on the host, shared pages in proportion.</param>
    /// <param name="ProcessesPerSandbox">How many those are.</param>
    /// <param name="ServerBytes">The server beside them, resident; null when it is not ours.</param>
    internal sealed record Result(double BytesPerSandbox, double ProcessesPerSandbox, long? ServerBytes);

    /// <exception cref="StacyVMException">Unsupported where the processes cannot be seen from here.</exception>
    public static async Task<Result> MeasureAsync(StacyClient client, SpawnRequest spawn, int count, int? serverPid, CancellationToken cancellation)
    {
        HashSet<int> before = ProcessMemory.All();
        var sandboxes = new List<Sandbox>(count);
        var limits = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation };
        try
        {
            await Parallel.ForAsync(0, count, limits, async (_, stop) =>
            {
                Sandbox sandbox = await client.SpawnAsync(spawn, stop);
                lock (sandboxes)
                    sandboxes.Add(sandbox);
            });
            // Each has worked once: pages that the first command touches count.
            await Parallel.ForEachAsync(sandboxes, limits, async (sandbox, stop) => await HttpLatency.TrueAsync(sandbox, stop));
            List<int> walls = ProcessMemory.Of([.. sandboxes.Select(sandbox => sandbox.Id)]);
            // Containers do not carry our id in a command line: then what began meanwhile and has a wall's name is theirs.
            if (walls.Count < count)
                walls = [.. ProcessMemory.All().Where(pid => !before.Contains(pid) && pid != serverPid && ProcessMemory.IsWall(pid))];
            List<long?> shares = [.. walls.Select(ProcessMemory.ProportionalBytes)];
            if (walls.Count < count || shares.Contains(null))
                throw new StacyVMException(ProblemKind.Unsupported, "the processes of sandboxes cannot be seen or read from here (measure as the server's user, on its machine)");
            return new Result(
                shares.Sum(share => share!.Value) / (double)count,
                walls.Count / (double)count,
                serverPid is { } pid ? ProcessMemory.ResidentBytes(pid) : null);
        }
        finally
        {
            await Parallel.ForEachAsync(sandboxes, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (sandbox, _) => await sandbox.DisposeAsync());
        }
    }
}
