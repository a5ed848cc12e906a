using System.Diagnostics;
using StacyVM.Engine.Linux;
using Xunit;

namespace StacyVM.Tests.Linux;

public sealed class ProcessExitsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_killed_process_has_ended_when_the_call_returns()
    {
        using var process = Process.Start("/bin/sleep", "1000");
        ProcessIdentity identity = ProcessIdentity.Of(process.Id)!.Value;
        Assert.True(identity.IsAlive);
        await ProcessExits.KillAsync(identity, Patience);
        Assert.False(identity.IsAlive);
    }

    [Fact]
    public async Task A_number_that_belongs_to_another_process_now_is_left_alone()
    {
        using var process = Process.Start("/bin/sleep", "1000");
        ProcessIdentity identity = ProcessIdentity.Of(process.Id)!.Value;
        await ProcessExits.KillAsync(identity with { StartTicks = identity.StartTicks - 1 }, Patience);
        Assert.True(identity.IsAlive);
        await ProcessExits.KillAsync(identity, Patience);
    }

    [Fact]
    public async Task Waiting_for_one_that_runs_on_ends_with_the_patience()
    {
        using var process = Process.Start("/bin/sleep", "1000");
        ProcessIdentity identity = ProcessIdentity.Of(process.Id)!.Value;
        await Assert.ThrowsAsync<TimeoutException>(() => ProcessExits.WaitAsync(identity, TimeSpan.FromMilliseconds(20)));
        await ProcessExits.KillAsync(identity, Patience);
    }

    [Fact]
    public async Task Many_are_waited_for_at_once()
    {
        Process[] processes = [.. Enumerable.Range(0, 100).Select(_ => Process.Start("/bin/sleep", "1000"))];
        await Task.WhenAll(processes.Select(process => ProcessExits.KillAsync(ProcessIdentity.Of(process.Id)!.Value, Patience)));
        foreach (Process process in processes)
        {
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    [Fact]
    public void A_process_that_never_was_is_not_alive()
    {
        Assert.Null(ProcessIdentity.Of(0));
        Assert.Null(ProcessIdentity.Of(int.MaxValue));
        Assert.False(default(ProcessIdentity).IsAlive);
    }
}
