using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Linux;

public sealed class SandboxUsersTests
{
    private static readonly string[] Everything = ["         0          0 4294967295"];

    [Fact]
    public void No_two_living_sandboxes_share_a_user()
    {
        var users = SandboxUsers.From(2_000_000_000, 1000, [Everything], start: 990);
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(i => users.Take($"sb-{i}")).Distinct().Count());
        Assert.Equal(ProblemKind.ResourceLimit, Assert.Throws<StacyVMException>(() => users.Take("one more")).Kind);
        users.Release("sb-7");
        users.Take("one more");
    }

    [Fact]
    public void Users_of_an_earlier_server_are_not_given_away()
    {
        var users = SandboxUsers.From(100_000, 2, [Everything], start: 0);
        users.Note("old", 100_000);
        Assert.Equal(100_001u, users.Take("new"));
        Assert.Equal(100_000u, users.Take("old"));
    }

    [Fact]
    public void Within_a_user_namespace_the_ids_are_those_that_exist_there()
    {
        var users = SandboxUsers.From(2_000_000_000, 65_536, [["0 100000 65536"]], start: 12345);
        Assert.InRange(users.Take("sb"), 10_000u, 65_533u);
        Assert.Equal(65_533u, users.Last);
    }

    [Fact]
    public void Where_no_ids_are_it_says_so() =>
        Assert.Equal(ProblemKind.ProviderUnavailable, Assert.Throws<StacyVMException>(() => SandboxUsers.From(2_000_000_000, 10, [["0 1000 1"]], 0)).Kind);
}
