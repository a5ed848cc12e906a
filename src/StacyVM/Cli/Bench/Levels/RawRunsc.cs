using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Bench.Levels;

/// <summary>The floor of gVisor: <c>runsc</c> itself with a bundle of the host's own files, and nothing of ours in it.</summary>
internal sealed class RawRunsc(int iterations) : IDisposable
{
    public const string Run = "runsc run … true";
    public const string Restore = "runsc restore + runsc exec … true";

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-runsc-").FullName;

    public async Task<Latency> RunAsync(CancellationToken cancellation)
    {
        string bundle = Bundle("run", "/bin/true");
        var timings = new Timings(Run);
        for (int run = -1; run < iterations; run++)
        {
            await (run < 0 ? new Timings("") : timings).MeasureAsync(() => RunscAsync(["run", "--bundle", bundle, Name(run)], cancellation));
        }
        return timings.ToLatency();
    }

    /// <summary>1 a container is saved, 2 each run restores it and runs a command in it.</summary>
    public async Task<Latency> RestoreAsync(CancellationToken cancellation)
    {
        // 1.
        string bundle = Bundle("sleep", "/bin/sleep", "3600"), saved = Path.Combine(_directory, "saved");
        await RunscAsync(["run", "--bundle", bundle, "--detach", "source"], cancellation);
        try
        {
            await RunscAsync(["checkpoint", "--image-path", saved, "source"], cancellation);
        }
        finally
        {
            await Subprocess.RunAsync("runsc", Arguments(["delete", "--force", "source"]), CancellationToken.None);
        }

        // 2.
        var timings = new Timings(Restore);
        for (int run = -1; run < iterations; run++)
        {
            string name = Name(run);
            try
            {
                await (run < 0 ? new Timings("") : timings).MeasureAsync(async () =>
                {
                    await RunscAsync(["restore", "--bundle", bundle, "--image-path", saved, "--detach", name], cancellation);
                    await RunscAsync(["exec", name, "/bin/true"], cancellation);
                });
            }
            finally
            {
                await Subprocess.RunAsync("runsc", Arguments(["delete", "--force", name]), CancellationToken.None);
            }
        }
        return timings.ToLatency();
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Bundle(string name, params string[] command)
    {
        string bundle = Path.Combine(_directory, name);
        Directory.CreateDirectory(bundle);
        File.WriteAllText(Path.Combine(bundle, "config.json"), $$"""
            {
              "ociVersion": "1.0.0",
              "process": {"user": {"uid": 1000, "gid": 1000}, "args": [{{string.Join(", ", command.Select(word => $"\"{word}\""))}}], "env": ["PATH=/usr/bin:/bin"], "cwd": "/"},
              "root": {"path": "/", "readonly": true},
              "hostname": "raw",
              "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}],
              "linux": {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}]}
            }
            """);
        return bundle;
    }

    private async Task RunscAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        // runsc gives the files that are its streams to the sandbox's user: never the host's own /dev/null.
        (int code, string output) = arguments.Contains("--detach")
            ? await Subprocess.DetachAsync(Path.Combine(_directory, "streams"), "runsc", Arguments(arguments), cancellation)
            : await Subprocess.RunAsync("runsc", Arguments(arguments), cancellation);
        if (code != 0)
            throw new StacyVMException(ProblemKind.Unavailable, $"runsc {arguments[0]} ended with {code}: {output}");
    }

    private string[] Arguments(IReadOnlyList<string> arguments) => ["--root", Path.Combine(_directory, "root"), "--network=none", "--ignore-cgroups", .. arguments];

    private static string Name(int run) => $"raw{run + 1}";
}
