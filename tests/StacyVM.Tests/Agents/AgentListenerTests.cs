using System.Net.Sockets;
using StacyVM.Engine.Agents;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Agents;

public sealed class AgentListenerTests : IAsyncLifetime
{
    private const string Token = "secret";
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string _data = Path.Combine(Path.GetTempPath(), $"stacyvm-listen-{Guid.NewGuid():n}");
    private AgentHost _host = null!;

    public ValueTask InitializeAsync()
    {
        _host = new AgentHost("test", _data, "/nonexistent");
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task An_agent_with_the_token_is_the_sandboxes_connection()
    {
        AgentListener listener = _host.Listen("sb-1", Token);
        ValueTask<AgentConnection> waiting = listener.GetAsync(None);
        using FakeAgent agent = await DialAsync("sb-1");
        await agent.WelcomeAsync(Token);
        AgentConnection connection = await waiting;
        Assert.True(connection.IsAlive);
        Assert.Equal(Environment.ProcessId, listener.PeerPid);
        Assert.Same(connection, await listener.GetAsync(None));
    }

    [Fact]
    public async Task Wrong_token_wrong_nonce_and_wrong_version_are_refused()
    {
        AgentListener listener = _host.Listen("sb-1", Token);
        using (FakeAgent liar = await DialAsync("sb-1"))
        {
            await liar.WelcomeAsync("guess");
            Assert.True(await liar.IsClosedAsync());
        }
        using (FakeAgent liar = await DialAsync("sb-1"))
        {
            await liar.WelcomeAsync(Token, nonce: new byte[AgentProtocol.NonceLength]);
            Assert.True(await liar.IsClosedAsync());
        }
        using (FakeAgent old = await DialAsync("sb-1"))
        {
            await old.WelcomeAsync(Token, version: 99);
            Assert.True(await old.IsClosedAsync());
        }
        StacyVMException gone = await Assert.ThrowsAsync<StacyVMException>(async () => await listener.GetAsync(TimeSpan.FromMilliseconds(50), None));
        Assert.Equal(ProblemKind.SandboxGone, gone.Kind);
    }

    [Fact]
    public async Task A_redial_replaces_the_connection_and_an_impostor_does_not()
    {
        AgentListener listener = _host.Listen("sb-1", Token);
        using FakeAgent first = await DialAsync("sb-1");
        await first.WelcomeAsync(Token);
        AgentConnection before = await listener.GetAsync(None);

        using (FakeAgent impostor = await DialAsync("sb-1"))
        {
            await impostor.WelcomeAsync("guess");
            Assert.True(await impostor.IsClosedAsync());
        }
        Assert.Same(before, await listener.GetAsync(None));

        using FakeAgent second = await DialAsync("sb-1");
        await second.WelcomeAsync(Token);
        await before.Ended.WaitAsync(TimeSpan.FromSeconds(5));
        AgentConnection after = await listener.GetAsync(None);
        Assert.NotSame(before, after);
        Assert.True(after.IsAlive);
    }

    [Fact]
    public async Task A_silent_crowd_locks_nobody_out()
    {
        AgentListener listener = _host.Listen("sb-1", Token);
        var crowd = new List<FakeAgent>();
        for (int i = 0; i < 40; i++)
            crowd.Add(await DialAsync("sb-1"));
        using FakeAgent agent = await DialAsync("sb-1");
        await agent.WelcomeAsync(Token);
        Assert.True((await listener.GetAsync(None)).IsAlive);
        crowd.ForEach(peer => peer.Dispose());
    }

    [Fact]
    public async Task A_broken_connection_is_waited_for()
    {
        AgentListener listener = _host.Listen("sb-1", Token);
        AgentConnection before;
        using (FakeAgent first = await DialAsync("sb-1"))
        {
            await first.WelcomeAsync(Token);
            before = await listener.GetAsync(None);
        }
        await before.Ended.WaitAsync(TimeSpan.FromSeconds(5));
        ValueTask<AgentConnection> waiting = listener.GetAsync(None);
        Assert.False(waiting.IsCompleted);
        using FakeAgent second = await DialAsync("sb-1");
        await second.WelcomeAsync(Token);
        Assert.True((await waiting).IsAlive);
    }

    [Fact]
    public async Task A_stale_socket_is_replaced_and_a_new_server_is_found_there()
    {
        await using (AgentListener dead = _host.Listen("sb-1", Token))
        {
        }
        Assert.True(File.Exists(SocketPath("sb-1")));
        AgentListener listener = _host.Listen("sb-1", Token);
        using FakeAgent agent = await DialAsync("sb-1");
        await agent.WelcomeAsync(Token);
        Assert.True((await listener.GetAsync(None)).IsAlive);
    }

    [Fact]
    public async Task Waiting_ends_with_the_listener()
    {
        AgentListener listener = _host.Listen("sb-1", Token);
        Task<AgentConnection> waiting = listener.GetAsync(None).AsTask();
        await listener.DisposeAsync();
        StacyVMException gone = await Assert.ThrowsAsync<StacyVMException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(2)));
        Assert.Equal(ProblemKind.SandboxGone, gone.Kind);
        await Assert.ThrowsAsync<StacyVMException>(async () => await listener.GetAsync(None));
    }

    [Fact]
    public async Task Paths_longer_than_a_socket_address_work()
    {
        string deep = Path.Combine(_data, new string('d', 120), new string('e', 120));
        await using var host = new AgentHost("test", deep, "/nonexistent");
        AgentListener listener = host.Listen("sb-1", Token);
        string link = Path.Combine(Path.GetTempPath(), $"stacyvm-link-{Guid.NewGuid():n}");
        Directory.CreateSymbolicLink(link, host.AgentDirectory("sb-1"));
        try
        {
            using FakeAgent agent = await FakeAgent.DialAsync(Path.Combine(link, AgentListener.SocketName));
            await agent.WelcomeAsync(Token);
            Assert.True((await listener.GetAsync(None)).IsAlive);
        }
        finally
        {
            File.Delete(link);
        }
    }

    [Fact]
    public void The_socket_directory_may_not_be_a_link()
    {
        string elsewhere = Path.Combine(_data, "elsewhere");
        Directory.CreateDirectory(elsewhere);
        Directory.CreateDirectory(_host.SandboxDirectory("sb-1"));
        Directory.CreateSymbolicLink(_host.AgentDirectory("sb-1"), elsewhere);
        Assert.Throws<IOException>(() => _host.Listen("sb-1", Token));
        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
    }

    [Fact]
    public async Task Two_thousand_listeners_cost_no_threads()
    {
        int before = System.Diagnostics.Process.GetCurrentProcess().Threads.Count;
        for (int i = 0; i < 2000; i++)
            _host.Listen($"sb-{i}", Token);
        int after = System.Diagnostics.Process.GetCurrentProcess().Threads.Count;
        Assert.InRange(after - before, -100, 20);
        using FakeAgent agent = await DialAsync("sb-1999");
        await agent.WelcomeAsync(Token);
    }

    private string SocketPath(string id) => Path.Combine(_host.AgentDirectory(id), AgentListener.SocketName);

    private Task<FakeAgent> DialAsync(string id) => FakeAgent.DialAsync(SocketPath(id));
}
