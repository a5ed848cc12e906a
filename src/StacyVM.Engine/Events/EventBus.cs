using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Events;

/// <summary>In-process events: counter ids, the last 1,000 kept for replay, a bounded buffer per subscriber whose oldest entries are dropped when it is slow.</summary>
internal sealed class EventBus(TimeProvider? time = null)
{
    /// <summary>Events kept for replay.</summary>
    public const int HistorySize = 1_000;

    /// <summary>Events that wait for one slow subscriber.</summary>
    public const int SubscriberBuffer = 1_024;

    private const string IdPrefix = "evt-";

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly Queue<Entry> _history = new(HistorySize);
    private readonly List<Subscription> _subscriptions = [];
    private long _last;

    /// <param name="type">E.g. <c>sandbox.created</c>.</param>
    /// <param name="sandboxId">What it is about.</param>
    /// <param name="data">Small texts; never a command, an environment value or file content.</param>
    /// <param name="tenant">Whose it is: only subscribers of that tenant and unrestricted ones get it.</param>
    /// <param name="owner">Whose it is, where owners are kept apart; empty: of a thing without an owner; null: only unrestricted subscribers get it then.</param>
    public void Publish(
        string type, string? sandboxId = null, IReadOnlyDictionary<string, string>? data = null, string? tenant = null, string? owner = null)
    {
        // Numbering, history and hand-over are one step, so that every subscriber sees one order.
        lock (_lock)
        {
            long number = ++_last;
            var message = new EventMessage
            {
                Id = IdPrefix + number.ToString(CultureInfo.InvariantCulture),
                Type = type,
                SandboxId = sandboxId,
                Timestamp = _time.GetUtcNow().UtcDateTime,
                Data = data is { Count: > 0 } ? data : null,
            };
            var entry = new Entry(number, message, tenant, owner);
            if (_history.Count == HistorySize)
                _history.Dequeue();
            _history.Enqueue(entry);
            foreach (Subscription subscription in _subscriptions)
            {
                if (entry.IsFor(subscription.Caller))
                    subscription.Live.Writer.TryWrite(message);
            }
        }
    }

    /// <summary>Events after the given id (null: only new ones), in order, until cancelled; then it ends without an error.</summary>
    /// <param name="afterId">An id that this process did not give (an older process, a lost history): everything that is kept.</param>
    /// <param name="cancellation">Ends the subscription.</param>
    /// <param name="caller">Gets what it may see; null: all events.</param>
    public IAsyncEnumerable<EventMessage> SubscribeAsync(string? afterId, CancellationToken cancellation, Caller? caller = null)
    {
        // Subscribed here and not at the first MoveNext: what is published in between is not lost.
        var subscription = new Subscription(caller);
        lock (_lock)
        {
            subscription.Replay = Replay(afterId, caller);
            _subscriptions.Add(subscription);
        }
        CancellationTokenRegistration ending = cancellation.UnsafeRegister(_ => Remove(subscription), null);
        return ReadAsync(subscription, ending, cancellation);
    }

    /// <summary>Numbers for diagnostics: subscribers, kept events, events since the start.</summary>
    public (int Subscribers, int History, long Total) Numbers
    {
        get
        {
            lock (_lock)
                return (_subscriptions.Count, _history.Count, _last);
        }
    }

    private List<EventMessage> Replay(string? afterId, Caller? caller)
    {
        if (afterId is null)
            return [];
        long after = afterId.StartsWith(IdPrefix, StringComparison.Ordinal)
            && long.TryParse(afterId.AsSpan(IdPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= _last ? number : 0;
        return [.. _history.Where(entry => entry.Number > after && entry.IsFor(caller)).Select(entry => entry.Message)];
    }

    private async IAsyncEnumerable<EventMessage> ReadAsync(
        Subscription subscription, CancellationTokenRegistration ending, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using CancellationTokenRegistration _ = ending;
        try
        {
            foreach (EventMessage message in subscription.Replay)
            {
                if (cancellation.IsCancellationRequested)
                    yield break;
                yield return message;
            }
            subscription.Replay = [];
            // Removing the subscription completes the channel: cancellation is an end and not an exception.
            while (await subscription.Live.Reader.WaitToReadAsync(CancellationToken.None))
            {
                while (!cancellation.IsCancellationRequested && subscription.Live.Reader.TryRead(out EventMessage? message))
                    yield return message;
                if (cancellation.IsCancellationRequested)
                    yield break;
            }
        }
        finally
        {
            Remove(subscription);
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (_lock)
            _subscriptions.Remove(subscription);
        subscription.Live.Writer.TryComplete();
    }

    private sealed record Entry(long Number, EventMessage Message, string? Tenant, string? Owner)
    {
        public bool IsFor(Caller? caller) => caller is null || caller.Sees(Owner, Tenant);
    }

    private sealed class Subscription(Caller? caller)
    {
        public Caller? Caller { get; } = caller;

        public List<EventMessage> Replay { get; set; } = [];

        public Channel<EventMessage> Live { get; } = Channel.CreateBounded<EventMessage>(
            new BoundedChannelOptions(SubscriberBuffer) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    }
}
