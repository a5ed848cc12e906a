using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Events;

/// <summary>In-process events: counter ids, the last 1,000 kept for replay, a bounded buffer per subscriber whose oldest entries are dropped when it is slow.</summary>
internal sealed class EventBus
{
    /// <param name="type">E.g. <c>sandbox.created</c>.</param>
    /// <param name="sandboxId">What it is about.</param>
    /// <param name="data">Small texts; never a command, an environment value or file content.</param>
    /// <param name="tenant">Whose it is: only subscribers of that tenant and unrestricted ones get it.</param>
    public void Publish(string type, string? sandboxId = null, IReadOnlyDictionary<string, string>? data = null, string? tenant = null) => throw new NotSupportedException();

    /// <summary>Events after the given id (null: only new ones), in order, until cancelled; then it ends without an error.</summary>
    /// <param name="afterId">An id that this process did not give (an older process, a lost history): everything that is kept.</param>
    /// <param name="cancellation">Ends the subscription.</param>
    /// <param name="tenant">Null: all events.</param>
    public IAsyncEnumerable<EventMessage> SubscribeAsync(string? afterId, CancellationToken cancellation, string? tenant = null) => throw new NotSupportedException();

    /// <summary>Numbers for diagnostics: subscribers, kept events, events since the start.</summary>
    public (int Subscribers, int History, long Total) Numbers => throw new NotSupportedException();
}
