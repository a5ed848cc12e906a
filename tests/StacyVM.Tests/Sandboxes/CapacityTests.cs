using System.Collections.Concurrent;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Sandboxes;

/// <summary>Places and the lines for them, without anything around.</summary>
public sealed class CapacityTests
{
    [Fact]
    public void A_free_place_is_taken_at_once_and_counted()
    {
        var capacity = new Capacity(2, static _ => 0);
        Assert.Equal(0, capacity.ReserveOrWait("ada", 10).Depth);
        CapacityReservation place = capacity.Reserve("");
        Assert.Equal((2, 1), (capacity.Total, capacity.UseOf("ada").OfOwner));
        place.Release();
        place.Release();
        Assert.Equal(1, capacity.Total);
    }

    [Fact]
    public void Waiting_spawns_of_one_owner_are_served_in_their_order()
    {
        var capacity = new Capacity(1, static _ => 0);
        CapacityReservation held = capacity.Reserve("ada");
        SpawnWaiter[] waiters = [.. Enumerable.Range(0, 4).Select(_ => capacity.ReserveOrWait("ada", 10))];
        Assert.Equal([1, 2, 3, 4], waiters.Select(waiter => waiter.Depth));
        foreach (SpawnWaiter waiter in waiters)
        {
            Assert.False(waiter.Place.IsCompleted);
            held.Release();
            Assert.True(waiter.Place.IsCompletedSuccessfully);
            held = PlaceOf(waiter);
        }
        Assert.Equal((1, 0), (capacity.Total, capacity.Waiting));
    }

    [Fact]
    public void Ninety_waiting_spawns_of_one_owner_keep_no_other_waiting()
    {
        var capacity = new Capacity(1, static _ => 0);
        CapacityReservation held = capacity.Reserve("greedy");
        List<SpawnWaiter> waiters = [.. Enumerable.Range(0, 90).Select(_ => capacity.ReserveOrWait("greedy", 100))];
        waiters.AddRange([capacity.ReserveOrWait("bob", 100), capacity.ReserveOrWait("", 100), capacity.ReserveOrWait("bob", 100)]);

        List<string> served = [];
        while (served.Count < 8)
        {
            held.Release();
            SpawnWaiter next = Assert.Single(waiters, waiter => waiter.Place.IsCompleted);
            waiters.Remove(next);
            held = PlaceOf(next);
            served.Add(next.Owner);
        }

        Assert.Equal(["greedy", "bob", "", "greedy", "bob", "greedy", "greedy", "greedy"], served);
    }

    [Fact]
    public void An_owner_who_is_full_is_passed_over_and_keeps_its_turn()
    {
        var capacity = new Capacity(3, static owner => owner == "ada" ? 1 : 0);
        CapacityReservation ofAda = capacity.Reserve("ada");
        CapacityReservation ofBob = capacity.Reserve("bob");
        CapacityReservation second = capacity.Reserve("bob");
        SpawnWaiter ada = capacity.ReserveOrWait("ada", 10);
        SpawnWaiter bob = capacity.ReserveOrWait("bob", 10);
        SpawnWaiter again = capacity.ReserveOrWait("bob", 10);

        ofBob.Release();
        Assert.Equal((false, true, false), (ada.Place.IsCompleted, bob.Place.IsCompleted, again.Place.IsCompleted));
        ofAda.Release();
        Assert.Equal((true, false), (ada.Place.IsCompleted, again.Place.IsCompleted));
        second.Release();
        Assert.True(again.Place.IsCompleted);
    }

    [Fact]
    public void Who_can_have_a_place_does_not_wait_behind_an_owner_who_is_full()
    {
        var capacity = new Capacity(10, static owner => owner == "ada" ? 1 : 0);
        capacity.Reserve("ada");
        SpawnWaiter ada = capacity.ReserveOrWait("ada", 10);
        Assert.Equal(1, ada.Depth);
        Assert.Equal(0, capacity.ReserveOrWait("bob", 10).Depth);
        Assert.Equal(0, capacity.ReserveOrWait("", 10).Depth);
        Assert.Equal("max_sandboxes_per_owner", capacity.UseOf("ada").Shortage);
    }

    [Fact]
    public void A_full_queue_says_so()
    {
        var capacity = new Capacity(1, static _ => 0);
        capacity.Reserve("");
        capacity.ReserveOrWait("", 1);
        StacyVMException problem = Assert.Throws<StacyVMException>(() => capacity.ReserveOrWait("", 1));
        Assert.Equal(ProblemKind.ResourceLimit, problem.Kind);
        Assert.StartsWith("resource limit exceeded: spawn queue full (1)", problem.Message);
    }

    [Fact]
    public void A_raised_limit_serves_as_many_as_it_makes_room_for()
    {
        int limit = 1;
        var capacity = new Capacity(0, _ => limit);
        capacity.Reserve("ada");
        SpawnWaiter[] waiters = [.. Enumerable.Range(0, 4).Select(_ => capacity.ReserveOrWait("ada", 10))];
        limit = 3;
        capacity.LimitsChanged();
        Assert.Equal([true, true, false, false], waiters.Select(waiter => waiter.Place.IsCompleted));
        limit = 0;
        capacity.LimitsChanged();
        Assert.All(waiters, waiter => Assert.True(waiter.Place.IsCompleted));
    }

    [Fact]
    public void Who_leaves_the_line_is_not_served_and_who_was_served_cannot_leave()
    {
        var capacity = new Capacity(1, static _ => 0);
        CapacityReservation held = capacity.Reserve("");
        SpawnWaiter first = capacity.ReserveOrWait("ada", 10);
        SpawnWaiter second = capacity.ReserveOrWait("bob", 10);
        Assert.True(capacity.Leave(first));
        Assert.False(capacity.Leave(first));
        held.Release();
        Assert.False(first.Place.IsCompleted);
        Assert.True(second.Place.IsCompleted);
        Assert.False(capacity.Leave(second));
    }

    /// <summary>A model that is told everything: after each step no limit is passed, and nobody waits who could have a place.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_thousand_random_steps_pass_no_limit_and_leave_nobody_waiting_beside_a_free_place(int seed)
    {
        const int Max = 6;
        string[] owners = ["", "ada", "bob", "eve"];
        var random = new Random(seed);
        var limits = new Dictionary<string, int> { ["ada"] = 2, ["bob"] = 3, ["eve"] = 0 };
        var capacity = new Capacity(Max, owner => limits[owner]);
        List<(string Owner, CapacityReservation Place)> held = [];
        List<SpawnWaiter> waiting = [];
        for (int step = 0; step < 1_000; step++)
        {
            string owner = owners[random.Next(owners.Length)];
            bool lowered = false;
            switch (random.Next(8))
            {
                case < 4:
                    try
                    {
                        waiting.Add(capacity.ReserveOrWait(owner, 20));
                    }
                    catch (StacyVMException)
                    {
                        Assert.Equal(20, capacity.Waiting);
                    }
                    break;
                case < 6 when held.Count > 0:
                    int which = random.Next(held.Count);
                    held[which].Place.Release();
                    held.RemoveAt(which);
                    break;
                case 6 when waiting.Count > 0:
                    SpawnWaiter leaving = waiting[random.Next(waiting.Count)];
                    Assert.True(capacity.Leave(leaving));
                    waiting.Remove(leaving);
                    break;
                case 7 when owner.Length > 0:
                    int limit = random.Next(5);
                    lowered = limit > 0 && (limits[owner] == 0 || limit < limits[owner]);
                    limits[owner] = limit;
                    capacity.LimitsChanged();
                    break;
            }
            Dictionary<string, int> before = held.GroupBy(place => place.Owner).ToDictionary(group => group.Key, group => group.Count());
            foreach (SpawnWaiter served in waiting.Where(waiter => waiter.Place.IsCompleted).ToArray())
            {
                waiting.Remove(served);
                held.Add((served.Owner, PlaceOf(served)));
            }
            Assert.Equal(held.Count, capacity.Total);
            Assert.Equal(waiting.Count, capacity.Waiting);
            Assert.InRange(held.Count, 0, Max);
            foreach (string one in owners)
            {
                int count = held.Count(place => place.Owner == one);
                Assert.Equal(one.Length == 0 ? 0 : count, capacity.UseOf(one).OfOwner);
                // A limit that is lowered takes no place away, and gives none.
                if (one.Length > 0 && limits[one] > 0 && count > limits[one])
                    Assert.True(count <= before.GetValueOrDefault(one), $"step {step}: {one} was given a place above its limit {(lowered ? "which was just lowered" : "")}");
            }
            foreach (SpawnWaiter waiter in waiting)
                Assert.True(capacity.UseOf(waiter.Owner).Shortage is not null, $"step {step}: {waiter.Owner} waits beside a free place");
        }
        foreach ((_, CapacityReservation place) in held)
            place.Release();
        while (waiting.Find(waiter => waiter.Place.IsCompleted) is { } served)
        {
            waiting.Remove(served);
            PlaceOf(served).Release();
        }
        Assert.Equal((0, 0, 0), (waiting.Count, capacity.Total, capacity.Waiting));
    }

    [Fact]
    public async Task Many_threads_pass_no_limit_and_lose_no_wake_up()
    {
        const int Max = 4;
        var capacity = new Capacity(Max, static owner => owner == "o0" ? 2 : 0);
        int inside = 0;
        var insideOf = new ConcurrentDictionary<string, int>();
        int given = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(lane => Task.Run(async () =>
        {
            string owner = $"o{lane % 4}";
            var random = new Random(lane);
            for (int round = 0; round < 250; round++)
            {
                SpawnWaiter waiter = capacity.ReserveOrWait(owner, 1_000);
                if (waiter.Depth > 0 && random.Next(5) == 0)
                {
                    await Task.Yield();
                    if (capacity.Leave(waiter))
                        continue;
                }
                CapacityReservation place = await waiter.Place.WaitAsync(EngineFixture.Patience);
                int now = Interlocked.Increment(ref inside);
                Assert.InRange(now, 1, Max);
                Assert.True(insideOf.AddOrUpdate(owner, 1, static (_, count) => count + 1) <= (owner == "o0" ? 2 : Max));
                await Task.Yield();
                insideOf.AddOrUpdate(owner, 0, static (_, count) => count - 1);
                Interlocked.Decrement(ref inside);
                Interlocked.Increment(ref given);
                place.Release();
            }
        }))).WaitAsync(EngineFixture.Patience);

        Assert.Equal((0, 0), (capacity.Total, capacity.Waiting));
        Assert.True(given > 1_000, $"{given} places given");
    }

    private static CapacityReservation PlaceOf(SpawnWaiter served) => served.Place.Result;
}
