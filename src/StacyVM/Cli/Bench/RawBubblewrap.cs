using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Bench;

/// <summary>The floor: a bare <c>bwrap … true</c> with the namespaces and mounts of our own wall, and nothing of ours in it.</summary>
internal static class RawBubblewrap
{
    public static async Task<Latency> MeasureAsync(int iterations, CancellationToken cancellation)
    {
        string[] arguments = [.. Arguments(), "/usr/bin/true"];
        var timings = new Timings(Names.Bubblewrap);
        for (int run = -3; run < iterations; run++)
        {
            if (run < 0)
                await RunAsync(arguments, cancellation);
            else
                await timings.MeasureAsync(() => RunAsync(arguments, cancellation));
        }
        return timings.ToLatency();
    }

    private static async Task RunAsync(string[] arguments, CancellationToken cancellation)
    {
        (int code, string output) = await Subprocess.RunAsync("bwrap", arguments, cancellation);
        if (code != 0)
            throw new StacyVMException(ProblemKind.Unavailable, $"bwrap ended with {code}: {output}");
    }

    private static IEnumerable<string> Arguments()
    {
        List<string> arguments =
        [
            "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
            .. File.Exists("/proc/self/ns/cgroup") ? ["--unshare-cgroup"] : Array.Empty<string>(),
            "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--as-pid-1", "--new-session", "--ro-bind", "/usr", "/usr",
        ];
        foreach (string root in (string[])["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"])
        {
            var directory = new DirectoryInfo(root);
            if (directory.Exists)
                arguments.AddRange(directory.LinkTarget is { } link ? ["--symlink", link, root] : ["--ro-bind", root, root]);
        }
        arguments.AddRange(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/workspace", "--chdir", "/workspace", "--remount-ro", "/"]);
        return arguments;
    }
}
