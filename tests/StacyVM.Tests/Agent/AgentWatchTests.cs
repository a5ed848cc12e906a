using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentWatchTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void What_happens_in_a_directory_is_told()
    {
        AgentChannel watch = Watch(".", recursive: false);
        File.WriteAllText(_agent.PathOf("f"), "x");
        Expect(watch, WatchEventKind.Created, "f");
        Expect(watch, WatchEventKind.Written, "f");
        File.SetUnixFileMode(_agent.PathOf("f"), (UnixFileMode)0x1C0);
        Expect(watch, WatchEventKind.ModeChanged, "f");
        File.Move(_agent.PathOf("f"), _agent.PathOf("g"));
        Expect(watch, WatchEventKind.Renamed, "f");
        Expect(watch, WatchEventKind.Created, "g");
        File.Delete(_agent.PathOf("g"));
        Expect(watch, WatchEventKind.Removed, "g");
        watch.Cancel();
        Assert.Equal(AgentStatus.Cancelled, watch.Closed.Status);
    }

    [Fact]
    public void A_recursive_watch_follows_new_directories()
    {
        Directory.CreateDirectory(_agent.PathOf("old/below"));
        AgentChannel watch = Watch(".", recursive: true);
        File.WriteAllText(_agent.PathOf("old/below/a"), "");
        Expect(watch, WatchEventKind.Created, "old/below/a");
        Directory.CreateDirectory(_agent.PathOf("new/deep"));
        File.WriteAllText(_agent.PathOf("new/deep/b"), "");
        Expect(watch, WatchEventKind.Created, "new/deep/b");
        Directory.Move(_agent.PathOf("new"), Path.Combine(_agent.Root, "gone"));
        Expect(watch, WatchEventKind.Renamed, "new");
        File.WriteAllText(Path.Combine(_agent.Root, "gone/deep/c"), "");
        File.WriteAllText(_agent.PathOf("last"), "");
        Expect(watch, WatchEventKind.Created, "last");
        Assert.DoesNotContain(Events(watch), e => e.Path.EndsWith("/c", StringComparison.Ordinal));
        watch.Cancel();
        Assert.Equal(AgentStatus.Cancelled, watch.Closed.Status);
    }

    private AgentChannel Watch(string path, bool recursive)
    {
        AgentChannel watch = _agent.Client.Open(ChannelKind.Watch, new WatchRequest(path, recursive).Write);
        Assert.Empty(watch.Reply);
        return watch;
    }

    private void Expect(AgentChannel watch, WatchEventKind kind, string name) =>
        Eventually.True(() => Events(watch).Contains(new WatchEvent(kind, _agent.PathOf(name))), kind + " " + name);

    private static List<WatchEvent> Events(AgentChannel watch)
    {
        var events = new List<WatchEvent>();
        var reader = new RecordReader(watch.Output);
        while (!reader.AtEnd)
            events.Add(WatchEvent.Read(ref reader));
        return events;
    }
}
