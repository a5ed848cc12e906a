using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>One user, one thing at a time. The clock stops when the result is in this program's hands.</summary>
internal sealed class HttpLatency(StacyClient client, SpawnRequest spawn)
{
    private static readonly ExecOptions Argv = new() { Mode = ExecMode.Argv };

    /// <summary>From the request for a sandbox to the result of its first command.</summary>
    public async Task<Latency> CreateAsync(int iterations, CancellationToken cancellation)
    {
        var timings = new Timings(Names.Create);
        for (int run = -3; run < iterations; run++)
        {
            Sandbox? made = null;
            var timing = run < 0 ? new Timings("") : timings;
            try
            {
                await timing.MeasureAsync(async () =>
                {
                    made = await client.SpawnAsync(spawn, cancellation);
                    await TrueAsync(made, cancellation);
                });
            }
            finally
            {
                if (made is not null)
                    await made.DestroyAsync(CancellationToken.None);
            }
        }
        return timings.ToLatency();
    }

    /// <summary>A command in a sandbox that is there.</summary>
    public async Task<Latency> ExecAsync(int iterations, CancellationToken cancellation)
    {
        var timings = new Timings(Names.Exec);
        await using Sandbox sandbox = await client.SpawnAsync(spawn, cancellation);
        for (int run = -20; run < iterations; run++)
            await (run < 0 ? new Timings("") : timings).MeasureAsync(() => TrueAsync(sandbox, cancellation));
        return timings.ToLatency();
    }

    public static async Task TrueAsync(Sandbox sandbox, CancellationToken cancellation)
    {
        ExecResult result = await sandbox.ExecAsync("true", Argv, cancellation);
        if (result.ExitCode != 0)
            throw new StacyVMException(ProblemKind.Internal, $"true ended with {result.ExitCode} in {sandbox.Id}: {result.Stderr}");
    }
}
