using System.Diagnostics;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>
/// One hostile sandbox for each resource of the machine, while a neighbour runs <c>true</c>: its p99 stays within twice its own without an
/// attack, measured just before, and the server's memory stays bounded. Alone, so that no other test is the noise. A kernel that does not
/// preempt itself keeps even the host's own processes waiting for longer: no wall mends that, so what they suffer is measured, too, and is
/// the bound where it is higher.
/// </summary>
[Collection(nameof(QuietMachine))]
public sealed class NeighbourTests
{
    private const int Samples = 400;
    private const double MostFactor = 2;

    /// <summary>Measurements, not assertions, are repeated: the machine may have been busy with something else.</summary>
    private const int Rounds = 5;

    [Theory]
    [InlineData("processes", "exec python3 -c 'import os, time\nwhile True:\n try:\n  if os.fork() == 0: break\n except OSError: time.sleep(0.01)\nopen(\"/proc/self/oom_score_adj\", \"w\").write(\"900\")\nwhile True:\n try: os.fork()\n except OSError: pass'")]
    [InlineData("memory", "while true; do python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'; done")]
    [InlineData("disk", "while true; do for i in 1 2 3 4; do dd if=/dev/zero of=/workspace/f$i bs=1M count=60 2>/dev/null; done; rm -f /workspace/f*; done")]
    [InlineData("inodes", "python3 -c 'import os\nn = 0\nwhile True:\n n += 1\n open(\"/workspace/i%d\" % (n % 20000), \"w\").close()'")]
    [InlineData("descriptors", "for i in 1 2 3 4 5 6 7 8; do python3 -c 'import os\nwhile True:\n held = []\n try:\n  while True: held += os.pipe()\n except OSError: pass\n for f in held: os.close(f)' & done; wait")]
    [InlineData("output", "yes 'a line of output that nobody wants'")]
    public async Task A_hostile_sandbox_costs_its_neighbour_at_most_its_p99_again(string resource, string attack)
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string neighbour = await server.SpawnAsync();
        string hostile = await server.SpawnAsync("""{"ttl":"10m","memory_mb":256}""");
        await P99Async(server, neighbour);
        long before = server.ResidentBytes();
        var found = new List<string>();
        for (int round = 0; round < Rounds; round++)
        {
            double quiet = await P99Async(server, neighbour), hostQuiet = await HostP99Async();
            JsonElement running = await server.PostAsync($"sandboxes/{hostile}/exec", JsonSerializer.Serialize(new { command = attack, background = true }));
            long process = running.GetProperty("process_id").GetInt64();
            double attacked = await P99Async(server, neighbour), hostAttacked = await HostP99Async();
            long grown = server.ResidentBytes() - before;
            using (HttpResponseMessage killed = await server.Http.DeleteAsync($"sandboxes/{hostile}/processes/{process}"))
                Assert.True(killed.IsSuccessStatusCode, await killed.Content.ReadAsStringAsync());
            Assert.True(grown < 100L << 20, $"{resource}: the server grew by {grown >> 20} MB");

            found.Add($"{quiet:0.0} → {attacked:0.0} ms (of the host's own {hostQuiet:0.0} → {hostAttacked:0.0} ms)");
            if (attacked / quiet <= Math.Max(MostFactor, hostAttacked / hostQuiet))
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{resource}: p99 of the neighbour {string.Join("; ", found)}, server +{grown >> 20} MB");
                return;
            }
        }
        Assert.Fail($"{resource}: p99 of the neighbour before and under the attack: {string.Join("; ", found)}");
    }

    private static Task<double> P99Async(PublishedServer server, string id) => P99Async(async () =>
    {
        using var body = new StringContent("""{"command":"true","mode":"argv"}""");
        using HttpResponseMessage answer = await server.Http.PostAsync($"sandboxes/{id}/exec", body);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}\n{server.Log}");
    });

    /// <summary>A process of the host, outside of every sandbox and of the server.</summary>
    private static Task<double> HostP99Async() => P99Async(async () =>
    {
        using Process process = Process.Start("/bin/true");
        await process.WaitForExitAsync();
    });

    private static async Task<double> P99Async(Func<Task> run)
    {
        double[] times = new double[Samples];
        for (int i = 0; i < Samples; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await run();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        Array.Sort(times);
        return times[(int)(Samples * 0.99)];
    }
}

/// <summary>Tests in it run when no other test does.</summary>
[CollectionDefinition(nameof(QuietMachine), DisableParallelization = true)]
public sealed class QuietMachine;
