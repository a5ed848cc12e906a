using System.Collections.Concurrent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Bench;

/// <summary>What the clients of a load did and met, from many threads.</summary>
internal sealed class LoadTally
{
    private const int MostSamples = 10;

    private readonly ConcurrentDictionary<string, Timings> _timings = new();
    private readonly ConcurrentDictionary<string, int> _samples = new();
    private readonly ConcurrentBag<string> _made = [];
    private long _limits;
    private long _errors;
    private long _events;

    /// <summary>Answers that name a limit which the operator has set.</summary>
    public long Limits => Interlocked.Read(ref _limits);

    /// <summary>All other failures.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    public long Events => Interlocked.Read(ref _events);

    /// <summary>Ids of all sandboxes that were made.</summary>
    public IReadOnlyCollection<string> Made => [.. _made];

    /// <summary>Texts of some failures.</summary>
    public IEnumerable<string> Samples => _samples.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value} × {pair.Key}");

    public void MadeSandbox(string id) => _made.Add(id);

    public void Heard() => Interlocked.Increment(ref _events);

    /// <summary>Runs and times one operation; a failure is counted and not thrown.</summary>
    /// <returns>Whether it succeeded.</returns>
    public async Task<bool> RunAsync(string operation, Func<Task> run)
    {
        try
        {
            await _timings.GetOrAdd(operation, static name => new Timings(name)).MeasureAsync(run);
            return true;
        }
        catch (StacyVMException e)
        {
            Failed(operation, e);
            return false;
        }
    }

    public void Failed(string operation, StacyVMException fault)
    {
        if (fault.Kind is ProblemKind.ResourceLimit or ProblemKind.RateLimited)
        {
            Interlocked.Increment(ref _limits);
            return;
        }
        Interlocked.Increment(ref _errors);
        string text = $"{operation}: {fault.Kind}: {fault.Message}";
        if (_samples.Count < MostSamples || _samples.ContainsKey(text))
            _samples.AddOrUpdate(text, 1, static (_, count) => count + 1);
    }

    public List<Latency> Latencies() =>
        [.. _timings.Values.Select(timings => timings.ToLatency()).OrderBy(latency => latency.Name, StringComparer.Ordinal)];
}
