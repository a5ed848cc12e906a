using System.Diagnostics;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>64 MiB of bytes that do not compress, up and down.</summary>
internal static class FileSpeed
{
    private const int Bytes = 64 * 1024 * 1024;
    private const int Rounds = 5;

    /// <returns>MB a second (10^6 bytes), the middle one of five rounds after a first that is not counted.</returns>
    public static async Task<(double Up, double Down)> MeasureAsync(StacyClient client, SpawnRequest spawn, CancellationToken cancellation)
    {
        byte[] content = new byte[Bytes];
        new Random(1).NextBytes(content);
        byte[] buffer = new byte[256 * 1024];
        await using Sandbox sandbox = await client.SpawnAsync(spawn, cancellation);
        List<double> up = [], down = [];
        for (int round = 0; round <= Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            await sandbox.WriteFileAsync("/workspace/bench.bin", content, cancellation: cancellation);
            double wrote = Bytes / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;

            start = Stopwatch.GetTimestamp();
            long received = 0;
            using (Stream body = await sandbox.OpenReadAsync("/workspace/bench.bin", cancellation: cancellation))
            {
                int read;
                while ((read = await body.ReadAsync(buffer, cancellation)) > 0)
                    received += read;
            }
            double readSpeed = Bytes / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (received != Bytes)
                throw new StacyVMException(ProblemKind.Internal, $"{received} of {Bytes} bytes came back from {sandbox.Id}");
            if (round == 0)
                continue;
            up.Add(wrote);
            down.Add(readSpeed);
        }
        return (Timings.At([.. up.Order()], 50), Timings.At([.. down.Order()], 50));
    }
}
