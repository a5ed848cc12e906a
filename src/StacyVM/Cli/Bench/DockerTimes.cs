using System.Security.Cryptography;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Bench;

/// <summary>What users of containers do today, on the same machine in the same run.</summary>
internal sealed class DockerTimes(string? host, string image)
{
    private const int Runs = 15;
    private const int Execs = 30;

    private string[] Prefix => host is null ? [] : ["-H", host];

    /// <returns>Why it cannot be measured, or null.</returns>
    public async Task<string?> ObstacleAsync(CancellationToken cancellation)
    {
        (int code, string output) = await Subprocess.RunAsync("docker", [.. Prefix, "image", "inspect", "--format", "{{.Id}}", image], cancellation);
        return code switch
        {
            0 => null,
            127 => "docker is not installed",
            _ => output.Split('\n')[^1],
        };
    }

    /// <summary><c>docker run --rm image true</c>.</summary>
    public async Task<Latency> RunAsync(CancellationToken cancellation)
    {
        var timings = new Timings(Names.DockerRun);
        for (int run = -1; run < Runs; run++)
            await (run < 0 ? new Timings("") : timings).MeasureAsync(() => DockerAsync(["run", "--rm", image, "true"], cancellation));
        return timings.ToLatency();
    }

    /// <summary><c>docker exec container true</c>.</summary>
    public async Task<Latency> ExecAsync(CancellationToken cancellation)
    {
        string name = "stacyvm-bench-" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        var timings = new Timings(Names.DockerExec);
        try
        {
            await DockerAsync(["run", "-d", "--name", name, image, "sleep", "3600"], cancellation);
            for (int run = -1; run < Execs; run++)
                await (run < 0 ? new Timings("") : timings).MeasureAsync(() => DockerAsync(["exec", name, "true"], cancellation));
            return timings.ToLatency();
        }
        finally
        {
            await Subprocess.RunAsync("docker", [.. Prefix, "rm", "-f", name], CancellationToken.None);
        }
    }

    private async Task DockerAsync(string[] arguments, CancellationToken cancellation)
    {
        (int code, string output) = await Subprocess.RunAsync("docker", [.. Prefix, .. arguments], cancellation);
        if (code != 0)
            throw new StacyVMException(ProblemKind.Unavailable, $"docker {arguments[0]} ended with {code}: {output}");
    }
}
