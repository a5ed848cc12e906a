using StacyVM.Engine.Events;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Events;

public sealed class EventBusTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Ids_count_from_one_and_events_come_in_order()
    {
        var bus = new EventBus();
        using var end = new CancellationTokenSource();
        IAsyncEnumerable<EventMessage> events = bus.SubscribeAsync(null, end.Token);

        bus.Publish("a", "sb-1", new Dictionary<string, string> { ["k"] = "v" });
        bus.Publish("b");

        List<EventMessage> got = await TakeAsync(events, 2);
        Assert.Equal([("evt-1", "a"), ("evt-2", "b")], got.Select(message => (message.Id, message.Type)));
        Assert.Equal("v", got[0].Data!["k"]);
        Assert.Null(got[1].Data);
    }

    [Theory]
    [InlineData(null, new[] { "c" })]
    [InlineData("evt-1", new[] { "b", "c" })]
    [InlineData("evt-2", new[] { "c" })]
    [InlineData("", new[] { "a", "b", "c" })]
    [InlineData("evt-4000", new[] { "a", "b", "c" })]
    [InlineData("nonsense", new[] { "a", "b", "c" })]
    public async Task A_subscriber_goes_on_after_the_id_it_saw_last(string? after, string[] expected)
    {
        var bus = new EventBus();
        bus.Publish("a");
        bus.Publish("b");
        IAsyncEnumerable<EventMessage> events = bus.SubscribeAsync(after, default);
        bus.Publish("c");

        Assert.Equal(expected, (await TakeAsync(events, expected.Length)).Select(message => message.Type));
    }

    [Fact]
    public async Task History_keeps_the_last_thousand()
    {
        var bus = new EventBus();
        for (int i = 1; i <= 1_500; i++)
            bus.Publish($"t{i}");

        List<EventMessage> got = await TakeAsync(bus.SubscribeAsync("evt-1", default), 1_000);

        Assert.Equal(("evt-501", "evt-1500"), (got[0].Id, got[^1].Id));
        Assert.Equal((0, 1_000, 1_500L), bus.Numbers);
    }

    [Fact]
    public async Task A_slow_subscriber_loses_the_oldest_and_stalls_nobody()
    {
        var bus = new EventBus();
        IAsyncEnumerable<EventMessage> events = bus.SubscribeAsync(null, default);
        for (int i = 1; i <= EventBus.SubscriberBuffer + 10; i++)
            bus.Publish("t");

        List<EventMessage> got = await TakeAsync(events, EventBus.SubscriberBuffer);

        Assert.Equal("evt-11", got[0].Id);
    }

    [Fact]
    public async Task Cancelling_ends_without_an_error_and_leaves_no_subscriber()
    {
        var bus = new EventBus();
        using var end = new CancellationTokenSource();
        IAsyncEnumerable<EventMessage> events = bus.SubscribeAsync(null, end.Token);
        Task<List<EventMessage>> reading = TakeAsync(events, int.MaxValue);
        Assert.Equal(1, bus.Numbers.Subscribers);

        await end.CancelAsync();

        Assert.Empty(await reading);
        Assert.Equal(0, bus.Numbers.Subscribers);
    }

    [Fact]
    public async Task A_tenant_gets_its_own_events_only()
    {
        var bus = new EventBus();
        bus.Publish("old-mine", tenant: "acme");
        bus.Publish("old-theirs", tenant: "other");
        IAsyncEnumerable<EventMessage> events = bus.SubscribeAsync("", default, new Caller("api", null, "acme", "tester"));
        bus.Publish("nobodys");
        bus.Publish("mine", tenant: "acme");

        Assert.Equal(["old-mine", "mine"], (await TakeAsync(events, 2)).Select(message => message.Type));
    }

    [Fact]
    public async Task Every_subscriber_sees_one_order_whoever_publishes()
    {
        var bus = new EventBus();
        IAsyncEnumerable<EventMessage>[] all = [bus.SubscribeAsync(null, default), bus.SubscribeAsync(null, default)];

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 100; i++)
                bus.Publish("t");
        })));

        foreach (IAsyncEnumerable<EventMessage> events in all)
            Assert.Equal(Enumerable.Range(1, 800).Select(i => $"evt-{i}"), (await TakeAsync(events, 800)).Select(message => message.Id));
    }

    private static async Task<List<EventMessage>> TakeAsync(IAsyncEnumerable<EventMessage> events, int count)
    {
        List<EventMessage> got = [];
        await using IAsyncEnumerator<EventMessage> enumerator = events.GetAsyncEnumerator();
        while (got.Count < count && await enumerator.MoveNextAsync().AsTask().WaitAsync(Patience))
            got.Add(enumerator.Current);
        return got;
    }
}
