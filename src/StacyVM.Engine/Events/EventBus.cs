using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Events;

/// <summary>In-process events: counter ids, the last 1,000 kept for replay, a bounded buffer per subscriber whose oldest entries are dropped when it is slow.</summary>
internal sealed class EventBus
{
    public void Publish(string type, string? sandboxId = null, IReadOnlyDictionary<string, string>? data = null) => throw new NotSupportedException();

    /// <summary>Events after the given id (null: only new ones), in order, until cancelled.</summary>
    public IAsyncEnumerable<EventMessage> SubscribeAsync(string? afterId, CancellationToken cancellation) => throw new NotSupportedException();
}
