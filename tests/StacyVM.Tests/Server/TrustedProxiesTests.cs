using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StacyVM.Engine.Configuration;
using StacyVM.Server.Security;
using Xunit;

namespace StacyVM.Tests.Server;

public sealed class TrustedProxiesTests
{
    [Theory]
    [InlineData("203.0.113.9", "198.51.100.1", null, "203.0.113.9")]
    [InlineData("10.0.0.1", "198.51.100.1", null, "198.51.100.1")]
    [InlineData("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", null, "198.51.100.1")]
    [InlineData("10.0.0.1", "1.1.1.1 | 198.51.100.1", null, "198.51.100.1")]
    [InlineData("10.0.0.1", "10.0.0.3, 10.0.0.2", null, "10.0.0.3")]
    [InlineData("10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", null, "10.0.0.2")]
    [InlineData("10.0.0.1", "198.51.100.1:4711", null, "198.51.100.1")]
    [InlineData("10.0.0.1", "[2001:db8::5]:4711", null, "2001:db8::5")]
    [InlineData("10.0.0.1", "::ffff:198.51.100.1", null, "198.51.100.1")]
    [InlineData("::ffff:10.0.0.1", "198.51.100.1", null, "198.51.100.1")]
    [InlineData("10.0.0.1", null, "198.51.100.4", "198.51.100.4")]
    [InlineData("10.0.0.1", "198.51.100.1", "198.51.100.4", "198.51.100.1")]
    [InlineData("10.0.0.1", "", "", "10.0.0.1")]
    [InlineData("203.0.113.9", null, "198.51.100.4", "203.0.113.9")]
    [InlineData("192.0.2.8", "198.51.100.1", null, "198.51.100.1")]
    [InlineData("192.0.2.9", "198.51.100.1", null, "192.0.2.9")]
    public async Task The_client_is_who_a_listed_proxy_says_and_nobody_else(string peer, string? forwardedFor, string? realIp, string client)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        if (forwardedFor is not null)
            context.Request.Headers["X-Forwarded-For"] = new StringValues(forwardedFor.Split(" | "));
        if (realIp is not null)
            context.Request.Headers["X-Real-IP"] = realIp;
        await new TrustedProxies(new ServerOptions { TrustedProxies = ["10.0.0.0/8", "192.0.2.8"] }).ApplyAsync(context, _ => Task.CompletedTask);
        Assert.Equal(client, ClientAddress.Of(context).ToString());
    }
}
