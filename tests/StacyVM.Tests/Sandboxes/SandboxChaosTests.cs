using System.Diagnostics;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

/// <summary>Many lives at once, with everything going wrong by chance; in the end the records and the world agree.</summary>
public sealed class SandboxChaosTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_fails_nothing_is_left_and_nothing_is_made_up(int seed)
    {
        var random = new LockedRandom(seed);
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 20 });
        for (int life = 0; life < 3; life++)
        {
            Script(fixture.Provider, random);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => LaneAsync(fixture, random))));
            Assert.InRange(fixture.Sandboxes.List(Anyone).Count, 0, 20);
            await fixture.RestartAsync(provider => Script(provider, random));
        }

        Calm(fixture.Provider);
        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);
        await Task.WhenAll(fixture.Sandboxes.List(Anyone).Select(info => DestroyAsync(fixture, info.Id))).WaitAsync(Patience);
        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);

        Assert.Empty(fixture.Sandboxes.List(Anyone));
        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(await fixture.Engine.Store.LoadAsync(default));
        // Every place has been given back.
        for (int i = 0; i < 20; i++)
            await fixture.SpawnAsync();
    }

    [Fact]
    public async Task Parallel_creates_share_the_commits_of_the_store()
    {
        const int Lanes = 64;
        const int Each = 40;
        await using EngineFixture fixture = await OpenAsync();
        var watch = Stopwatch.StartNew();

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < Each; i++)
                await fixture.SpawnAsync();
        })));

        watch.Stop();
        long commits = ((SqliteStore)fixture.Engine.Store).Commits;
        output.WriteLine($"{Lanes * Each / watch.Elapsed.TotalSeconds:0} creates/s, {commits} commits for {Lanes * Each * 2} record writes");
        Assert.Equal(Lanes * Each, (await fixture.Engine.Store.LoadAsync(default)).Count);
        Assert.True(commits < Lanes * Each, $"{commits} commits");
    }

    private static async Task LaneAsync(EngineFixture fixture, LockedRandom random)
    {
        List<string> mine = [];
        for (int step = 0; step < 40; step++)
        {
            try
            {
                int dice = random.Next(10);
                if (dice < 4)
                {
                    using var client = new CancellationTokenSource();
                    if (random.Next(4) == 0)
                        client.CancelAfter(TimeSpan.FromMilliseconds(random.Next(3)));
                    mine.Add((await fixture.Sandboxes.CreateAsync(new SpawnRequest { Ttl = "20s" }, Anyone, client.Token).WaitAsync(Patience)).Id);
                }
                else if (dice < 6 && mine.Count > 0)
                    await fixture.Sandboxes.DestroyAsync(mine[random.Next(mine.Count)], Anyone, default).WaitAsync(Patience);
                else if (dice < 8 && mine.Count > 0)
                    await fixture.Sandboxes.ExtendAsync(mine[random.Next(mine.Count)], TimeSpan.FromSeconds(20), Anyone, default).WaitAsync(Patience);
                else if (dice < 9)
                    fixture.Time.Advance(TimeSpan.FromSeconds(3));
                else
                    await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);
            }
            catch (Exception e) when (e is StacyVMException or OperationCanceledException)
            {
                // Failing is what the script is for.
            }
        }
    }

    private static async Task DestroyAsync(EngineFixture fixture, string id)
    {
        try
        {
            await fixture.Sandboxes.DestroyAsync(id, Anyone, default);
        }
        catch (StacyVMException problem) when (problem.Kind == ProblemKind.ProviderUnavailable)
        {
            // It joined an attempt that had failed before the calm; one that begins now succeeds.
            await fixture.Sandboxes.DestroyAsync(id, Anyone, default);
        }
    }

    private static void Script(ScriptedProvider provider, LockedRandom random)
    {
        Func<string, CancellationToken, Task> sometimes = async (_, cancellation) =>
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            if (random.Next(5) == 0)
                throw ScriptedProvider.Down();
        };
        provider.BeforeCreate = sometimes;
        provider.AfterCreate = sometimes;
        provider.BeforeRemove = sometimes;
        provider.BeforeRecover = sometimes;
        provider.BeforeList = cancellation => sometimes("", cancellation);
    }

    private static void Calm(ScriptedProvider provider)
    {
        provider.BeforeCreate = provider.AfterCreate = provider.BeforeRemove = provider.BeforeRecover = static (_, _) => Task.CompletedTask;
        provider.BeforeList = static _ => Task.CompletedTask;
    }

    /// <summary>One seed for all lanes.</summary>
    private sealed class LockedRandom(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly Lock _lock = new();

        public int Next(int below)
        {
            lock (_lock)
                return _random.Next(below);
        }
    }
}
