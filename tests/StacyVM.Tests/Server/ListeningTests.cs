using System.Net;
using System.Net.Sockets;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>A server that cannot listen says what is wrong and what to do.</summary>
public sealed class ListeningTests
{
    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => RunningServer.StartAsync(options => options with { Port = port }));
        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.Contains($"127.0.0.1:{port} is in use", problem.Message);
    }

    [Theory]
    [InlineData("localhost", 7423, "localhost:7423")]
    [InlineData("localhost", 80, "localhost")]
    [InlineData("preview.example", 7423, "preview.example")]
    [InlineData("preview.example:8443", 7423, "preview.example:8443")]
    public void Preview_links_of_the_default_domain_carry_the_port(string domain, int port, string authority) =>
        Assert.Equal(authority, new ServerOptions { PreviewDomain = domain, Port = port }.PreviewAuthority);

    [Fact]
    public async Task An_address_of_another_machine_is_named()
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => RunningServer.StartAsync(options => options with { Host = "192.0.2.1" }));
        Assert.Contains("192.0.2.1 is no address of this machine", problem.Message);
    }

    [Fact]
    public async Task A_listen_address_that_is_none_is_named()
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => RunningServer.StartAsync(options => options with { Host = "not an address" }));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains("server.host", problem.Message);
    }
}
