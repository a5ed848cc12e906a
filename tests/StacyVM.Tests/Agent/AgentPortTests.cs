using System.Net;
using System.Net.Sockets;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentPortTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Bytes_pass_both_ways_and_each_side_ends_alone(string address)
    {
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        AgentChannel channel = Connect((ushort)((IPEndPoint)listener.LocalEndpoint).Port);
        channel.SendAll("early");
        using TcpClient server = listener.AcceptTcpClient();
        Assert.Empty(channel.Reply);
        byte[] request = new byte[5];
        server.GetStream().ReadExactly(request);
        Assert.Equal("early"u8, request);
        channel.End();
        Assert.Equal(-1, server.GetStream().ReadByte());
        server.GetStream().Write("answer after the end"u8);
        channel.WaitForOutput("answer after the end");
        server.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(AgentStatus.Ok, channel.Closed.Status);
    }

    [Fact]
    public void Much_passes_both_ways_at_once()
    {
        const int size = 24 << 20;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        AgentChannel channel = Connect((ushort)((IPEndPoint)listener.LocalEndpoint).Port);
        using TcpClient server = listener.AcceptTcpClient();
        var echo = new Thread(() =>
        {
            byte[] buffer = new byte[100_000];
            int count;
            while ((count = server.GetStream().Read(buffer)) > 0)
                server.GetStream().Write(buffer, 0, count);
            server.Client.Shutdown(SocketShutdown.Send);
        });
        echo.Start();
        byte[] content = new byte[size];
        new Random(3).NextBytes(content);
        channel.SendAll(content);
        channel.End();
        Assert.Equal(AgentStatus.Ok, channel.Closed.Status);
        echo.Join();
        Assert.True(content.AsSpan().SequenceEqual(channel.Output));
    }

    [Fact]
    public void A_port_without_a_listener_refuses()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        ushort port = (ushort)((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        Assert.Equal(AgentStatus.ConnectionRefused, Connect(port).Closed.Status);
        Assert.Equal(AgentStatus.InvalidArgument, Connect(0).Closed.Status);
    }

    [Fact]
    public void A_cancel_closes_the_connection()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        AgentChannel channel = Connect((ushort)((IPEndPoint)listener.LocalEndpoint).Port);
        using TcpClient server = listener.AcceptTcpClient();
        Assert.Empty(channel.Reply);
        channel.Cancel();
        Assert.Equal(AgentStatus.Cancelled, channel.Closed.Status);
        Assert.Equal(-1, server.GetStream().ReadByte());
    }

    [Fact]
    public void Listening_ports_are_listed()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        using var second = new TcpListener(IPAddress.IPv6Loopback, 0);
        first.Start();
        second.Start();
        ClosedMessage closed = _agent.Client.Call(ChannelKind.ListPorts);
        Assert.Equal(AgentStatus.Ok, closed.Status);
        var reader = new RecordReader(closed.Body);
        ushort[] ports = new ushort[reader.UInt32()];
        for (int i = 0; i < ports.Length; i++)
            ports[i] = reader.UInt16();
        Assert.Contains((ushort)((IPEndPoint)first.LocalEndpoint).Port, ports);
        Assert.Contains((ushort)((IPEndPoint)second.LocalEndpoint).Port, ports);
        Assert.Equal(ports.Distinct().Order(), ports);
    }

    private AgentChannel Connect(ushort port) => _agent.Client.Open(ChannelKind.Connect, new ConnectRequest(port).Write);
}
