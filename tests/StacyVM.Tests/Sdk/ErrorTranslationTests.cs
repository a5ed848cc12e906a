using StacyVM.Protocol.Problems;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Tests.Sdk;

public sealed class ErrorTranslationTests
{
    public static TheoryData<ProblemKind> Kinds => [.. Enum.GetValues<ProblemKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_problem_of_the_table_comes_back_with_its_exit_code(ProblemKind kind)
    {
        var sent = new StacyVMException(kind, "sb-1 and what to do");
        ServerException received = ErrorTranslation.ToException(sent.Problem.Status, sent.Problem.Code, sent.Message, "sb-1", "req-1");
        Assert.Equal(sent.Problem.ExitCode, received.Problem.ExitCode);
        Assert.Equal(sent.Problem.Status, received.StatusCode);
        Assert.Equal(sent.Message, received.Message);
        if (sent.Problem.Title.Length > 0)
            Assert.Equal(kind, received.Kind);
    }

    [Fact]
    public void A_missing_sandbox_is_told_from_a_missing_file()
    {
        var sandbox = Assert.IsType<SandboxNotFoundException>(ErrorTranslation.ToException(404, "NOT_FOUND", "sandbox not found: sb-1", "sb-1", null));
        Assert.Equal("sb-1", sandbox.SandboxId);
        Assert.IsType<NotFoundException>(ErrorTranslation.ToException(404, "NOT_FOUND", "not found: /a", "sb-1", null));
        Assert.IsType<NotFoundException>(ErrorTranslation.ToException(404, "", "404 page not found", null, null));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    public void A_failing_server_is_a_provider_error(int status) =>
        Assert.IsType<ProviderException>(ErrorTranslation.ToException(status, "", "no envelope", null, null));

    [Fact]
    public void An_error_within_a_stream_has_the_status_of_its_code()
    {
        ServerException timeout = ErrorTranslation.ToException(0, "TIMEOUT", "", "sb-1", null);
        Assert.Equal((ProblemKind.ExecTimeout, 408, 124), (timeout.Kind, timeout.StatusCode, timeout.Problem.ExitCode));
    }
}
