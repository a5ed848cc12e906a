using System.Net;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Server.Security;
using Xunit;

namespace StacyVM.Tests.Server;

public sealed class FailedLoginsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Twenty_a_minute_pass_and_then_one_every_three_seconds()
    {
        var logins = new FailedLogins(20, _time);
        IPAddress guesser = IPAddress.Parse("192.0.2.1");
        for (int i = 0; i < 20; i++)
        {
            Assert.Null(logins.WaitOf(guesser));
            logins.Count(guesser);
        }
        TimeSpan wait = Assert.NotNull(logins.WaitOf(guesser));
        Assert.InRange(wait.TotalSeconds, 2.9, 3);
        Assert.Null(logins.WaitOf(IPAddress.Parse("192.0.2.2")));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(logins.WaitOf(guesser));
        logins.Count(guesser);
        Assert.NotNull(logins.WaitOf(guesser));
        _time.Advance(TimeSpan.FromMinutes(1));
        for (int i = 0; i < 20; i++)
        {
            Assert.Null(logins.WaitOf(guesser));
            logins.Count(guesser);
        }
    }

    [Fact]
    public void Failures_beyond_the_bound_do_not_lengthen_the_wait()
    {
        var logins = new FailedLogins(20, _time);
        IPAddress guesser = IPAddress.IPv6Loopback;
        for (int i = 0; i < 1_000; i++)
            logins.Count(guesser);
        Assert.InRange(Assert.NotNull(logins.WaitOf(guesser)).TotalSeconds, 0, 3);
    }

    [Fact]
    public void A_thousand_guessing_addresses_hold_back_hardly_anyone_else()
    {
        var logins = new FailedLogins(20, _time);
        for (int i = 0; i < 1_000; i++)
        {
            IPAddress guesser = new([198, 51, (byte)(i >> 8), (byte)i]);
            for (int n = 0; n < 20; n++)
                logins.Count(guesser);
        }
        int held = Enumerable.Range(0, 1_000).Count(i => logins.WaitOf(new IPAddress([192, 0, (byte)(i >> 8), (byte)i])) is not null);
        Assert.InRange(held, 0, 60);
    }

    [Fact]
    public void Zero_is_no_bound()
    {
        var logins = new FailedLogins(0, _time);
        for (int i = 0; i < 100; i++)
            logins.Count(IPAddress.Loopback);
        Assert.Null(logins.WaitOf(IPAddress.Loopback));
    }
}
