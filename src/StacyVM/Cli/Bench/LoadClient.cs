using System.Diagnostics;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>One of many clients: it works with at most two sandboxes of its own, in an order of its own that is the same in every run.</summary>
internal sealed class LoadClient(StacyClient client, string provider, LoadTally tally, int number)
{
    public const string Exec = "exec";

    private const int MostSandboxes = 2;
    private const string Path = "/tmp/load.bin";

    private static readonly ExecOptions Argv = new() { Mode = ExecMode.Argv };

    private readonly Random _random = new(number);
    private readonly List<Sandbox> _own = [];
    private readonly byte[] _content = Content(number);

    public async Task RunAsync(TimeSpan duration, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            while (Stopwatch.GetElapsedTime(start) < duration && !cancellation.IsCancellationRequested)
                await StepAsync(cancellation);
        }
        finally
        {
            while (_own.Count > 0)
                await DestroyAsync(CancellationToken.None);
        }
    }

    private async Task StepAsync(CancellationToken cancellation)
    {
        if (_own.Count == 0 || (_own.Count < MostSandboxes && _random.Next(40) == 0))
        {
            if (!await SpawnAsync(cancellation))
                await Task.Delay(50, cancellation);
            return;
        }
        Sandbox sandbox = _own[_random.Next(_own.Count)];
        switch (_random.Next(100))
        {
            case < 60:
                await tally.RunAsync(Exec, () => HttpLatency.TrueAsync(sandbox, cancellation));
                break;
            case < 66:
                await tally.RunAsync("exec, streamed", () => StreamAsync(sandbox, cancellation));
                break;
            case < 76:
                await tally.RunAsync("file write", () => sandbox.WriteFileAsync(Path, _content, null, cancellation));
                await tally.RunAsync("file read", () => ReadAsync(sandbox, cancellation));
                break;
            case < 83:
                await tally.RunAsync("file list", () => sandbox.ListFilesAsync("/tmp", cancellation));
                break;
            case < 88:
                await tally.RunAsync("list", () => client.ListAsync(cancellation));
                break;
            case < 94:
                await tally.RunAsync("get", () => sandbox.RefreshAsync(cancellation));
                break;
            default:
                await DestroyAsync(cancellation);
                break;
        }
    }

    private Task<bool> SpawnAsync(CancellationToken cancellation) => tally.RunAsync("spawn", async () =>
    {
        Sandbox sandbox = await client.SpawnAsync(new SpawnRequest { Provider = provider, MemoryMb = 128, Ttl = "10m" }, cancellation);
        tally.MadeSandbox(sandbox.Id);
        _own.Add(sandbox);
    });

    private async Task DestroyAsync(CancellationToken cancellation)
    {
        Sandbox sandbox = _own[^1];
        _own.RemoveAt(_own.Count - 1);
        await tally.RunAsync("destroy", () => sandbox.DestroyAsync(cancellation));
    }

    private static async Task StreamAsync(Sandbox sandbox, CancellationToken cancellation)
    {
        int lines = 0;
        await foreach (StreamChunk chunk in sandbox.ExecStreamAsync("seq", Argv with { Args = ["1", "200"] }, cancellation))
            lines += chunk.Data.Count(c => c == '\n');
        if (lines != 200)
            throw new StacyVMException(ProblemKind.Internal, $"seq printed {lines} lines of 200");
    }

    private async Task ReadAsync(Sandbox sandbox, CancellationToken cancellation)
    {
        byte[] read = await sandbox.ReadFileBytesAsync(Path, cancellation);
        if (!read.AsSpan().SequenceEqual(_content))
            throw new StacyVMException(ProblemKind.Internal, $"a file of {_content.Length} bytes came back as another of {read.Length}");
    }

    private static byte[] Content(int seed)
    {
        byte[] content = new byte[16 * 1024];
        new Random(seed).NextBytes(content);
        return content;
    }
}
