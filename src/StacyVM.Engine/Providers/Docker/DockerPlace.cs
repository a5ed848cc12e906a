using System.Net;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;
using StacyVM.Engine.Agents;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>One container, as the daemon knows it.</summary>
internal sealed class DockerPlace(DockerDaemon daemon, string id, DockerHandle handle, Func<CancellationToken, Task> remove) : IPlace
{
    private const int ConsoleBound = 1 << 20;

    private readonly Lock _lock = new();
    private (DateTime At, ulong Nanoseconds) _lastCpu;

    public string Image => handle.Image;

    public SandboxHandle Handle { get; } = handle.Seal();

    public async Task<RuntimeStatus> StatusAsync(CancellationToken cancellation)
    {
        try
        {
            ContainerInspectResponse found = await daemon.QuickAsync(
                (client, limited) => client.Containers.InspectContainerAsync(handle.Container, limited), cancellation).ConfigureAwait(false);
            return ContainerCondition.Of(found.State);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
        {
            return new RuntimeStatus(RuntimeState.Gone, $"container {id} no longer exists on the Docker daemon");
        }
    }

    public Task RemoveAsync(CancellationToken cancellation) => remove(cancellation);

    public async Task<SandboxUsage?> UsageAsync(CancellationToken cancellation)
    {
        var sample = new Latest<ContainerStatsResponse>();
        try
        {
            await daemon.QuickAsync(
                async (client, limited) =>
                {
                    await client.Containers.GetContainerStatsAsync(
                        handle.Container, new ContainerStatsParameters { Stream = false, OneShot = true }, sample, limited).ConfigureAwait(false);
                    return true;
                },
                cancellation).ConfigureAwait(false);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
        {
            return null;
        }
        return sample.Value is { } stats ? Usage(stats) : null;
    }

    private SandboxUsage Usage(ContainerStatsResponse stats)
    {
        ulong cpu = stats.CPUStats?.CPUUsage?.TotalUsage ?? 0;
        double percent = 0;
        lock (_lock)
        {
            double elapsed = (stats.Read - _lastCpu.At).TotalNanoseconds;
            if (_lastCpu.At != default && elapsed > 0 && cpu >= _lastCpu.Nanoseconds)
                percent = (cpu - _lastCpu.Nanoseconds) / elapsed * 100;
            _lastCpu = (stats.Read, cpu);
        }
        ulong used = stats.MemoryStats?.Usage ?? 0;
        // What the page cache could give back is no use of the sandbox's; the two cgroup versions name it differently.
        if (stats.MemoryStats?.Stats is { } detail
            && (detail.TryGetValue("inactive_file", out ulong cache) | detail.TryGetValue("total_inactive_file", out ulong total)))
            used -= Math.Min(used, Math.Max(cache, total));
        return new SandboxUsage(
            TimeSpan.FromTicks((long)(cpu / 100)),
            Math.Round(percent, 2),
            (long)used,
            (long)Math.Min(stats.MemoryStats?.Limit ?? 0, long.MaxValue),
            (int)Math.Min(stats.PidsStats?.Current ?? 0, int.MaxValue),
            DiskBytes: -1);
    }

    public async Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation)
    {
        try
        {
            return await daemon.QuickAsync((client, limited) => ReadConsoleAsync(client, lines, limited), cancellation).ConfigureAwait(false);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
        {
            return [];
        }
    }

    private async Task<IReadOnlyList<string>> ReadConsoleAsync(DockerClient client, int lines, CancellationToken cancellation)
    {
        using MultiplexedStream log = await client.Containers.GetContainerLogsAsync(
            handle.Container,
            new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = lines.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            cancellation).ConfigureAwait(false);
        using var text = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (text.Length < ConsoleBound)
        {
            MultiplexedStream.ReadResult read = await log.ReadOutputAsync(buffer, 0, buffer.Length, cancellation).ConfigureAwait(false);
            if (read.EOF)
                break;
            text.Write(buffer, 0, read.Count);
        }
        string[] all = Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length).Split('\n');
        return [.. all.Take(all.Length - (all[^1].Length == 0 ? 1 : 0)).Select(line => line.TrimEnd('\r')).TakeLast(lines)];
    }

    private sealed class Latest<T> : IProgress<T> where T : class
    {
        public T? Value { get; private set; }

        public void Report(T value) => Value = value;
    }
}
