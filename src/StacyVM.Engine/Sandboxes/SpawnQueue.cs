using System.Globalization;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>The waiting of spawns for a place: how long, what is told about it, and what is counted. Whose turn it is, <see cref="Capacity"/> decides.</summary>
internal sealed class SpawnQueue(Capacity capacity, DefaultsOptions defaults, OperationJournal journal)
{
    /// <summary>A timer takes at most 49 days; who may wait longer waits as long as its client.</summary>
    private static readonly TimeSpan LongestPatience = TimeSpan.FromDays(30);

    private readonly TimeSpan _patience =
        defaults.SpawnQueueTimeout > TimeSpan.Zero && defaults.SpawnQueueTimeout < LongestPatience ? defaults.SpawnQueueTimeout : Timeout.InfiniteTimeSpan;

    private readonly Lock _lock = new();
    private SpawnQueueNumbers _numbers = new(0, 0, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>Off: a spawn without a place is refused at once.</summary>
    public bool IsOn => defaults.SpawnOverflow == DefaultsOptions.Queue;

    public SpawnQueueNumbers Numbers
    {
        get
        {
            lock (_lock)
                return _numbers with { Depth = capacity.Waiting };
        }
    }

    /// <summary>Takes a place, where it has to be, after waiting for it. A cancelled wait leaves the queue.</summary>
    /// <param name="plan">Of the spawn.</param>
    /// <param name="provider">For the events.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ResourceLimit"/>: no place, the queue is full, or the longest wait is over.</exception>
    public async Task<CapacityReservation> ReserveAsync(SpawnPlan plan, string provider, CancellationToken cancellation)
    {
        if (!IsOn)
            return capacity.Reserve(plan.Owner);
        SpawnWaiter waiter = capacity.ReserveOrWait(plan.Owner, defaults.MaxSpawnQueue);
        return waiter.Depth == 0 ? await waiter.Place : await WaitAsync(waiter, plan, provider, cancellation);
    }

    private async Task<CapacityReservation> WaitAsync(SpawnWaiter waiter, SpawnPlan plan, string provider, CancellationToken cancellation)
    {
        long start = journal.Start();
        Count(numbers => numbers with { Queued = numbers.Queued + 1 });
        journal.Publish("spawn.queued", plan, provider, ("owner_id", plan.Owner), ("depth", waiter.Depth.ToString(CultureInfo.InvariantCulture)));
        CapacityReservation place;
        try
        {
            place = await waiter.Place.WaitAsync(_patience, journal.Clock, cancellation);
        }
        catch (OperationCanceledException)
        {
            // A place that was given in the same moment is for the next one.
            if (!capacity.Leave(waiter))
                (await waiter.Place).Release();
            Count(numbers => numbers with { Abandoned = numbers.Abandoned + 1 });
            throw;
        }
        catch (TimeoutException)
        {
            if (capacity.Leave(waiter))
                throw TimedOut(plan, provider, start);
            place = await waiter.Place;
        }
        TimeSpan waited = journal.Since(start);
        Count(numbers => numbers with
        {
            Dequeued = numbers.Dequeued + 1,
            WaitTotal = numbers.WaitTotal + waited,
            WaitMax = waited > numbers.WaitMax ? waited : numbers.WaitMax,
        });
        journal.Publish("spawn.dequeued", plan, provider, ("owner_id", plan.Owner), Milliseconds(waited));
        return place;
    }

    private StacyVMException TimedOut(SpawnPlan plan, string provider, long start)
    {
        // Between the two looks a place may have become free, and gone to another.
        string why = capacity.UseOf(plan.Owner).Explanation;
        var problem = new StacyVMException(
            ProblemKind.ResourceLimit,
            $"spawn queue timeout after {GoDuration.Format(defaults.SpawnQueueTimeout)}{(why.Length == 0 ? "" : ": ")}{why}");
        Count(numbers => numbers with { Timeouts = numbers.Timeouts + 1 });
        journal.Publish("spawn.queue_timeout", plan, provider, ("owner_id", plan.Owner), ("error", problem.Message), Milliseconds(journal.Since(start)));
        return problem;
    }

    private void Count(Func<SpawnQueueNumbers, SpawnQueueNumbers> change)
    {
        lock (_lock)
            _numbers = change(_numbers);
    }

    private static (string Name, string Value) Milliseconds(TimeSpan time) =>
        ("wait_ms", ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
}
