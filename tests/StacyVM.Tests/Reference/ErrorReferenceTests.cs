using System.Text;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Reference;

public sealed class ErrorReferenceTests
{
    private const string Introduction = """
        # Errors

        Every failure is one row of this table. Over HTTP it is answered with the status and with `{"code": "…", "message": "…"}`; the command line exits with the
        exit code and prints the message. Tell failures apart by status and code, never by the message. The message begins with the words of the third column,
        where there are any, and says what happened, to which id, and what to do.

        | status | code | message begins | exit code | meaning |
        |---|---|---|---|---|

        """;

    private const string Further = """

        The command line exits with 1 also when `config lint`, `doctor` or `upgrade rehearse` found a failing check, with 130 when it was interrupted, and `exec` with
        the code of the command it ran.

        """;

    [Fact]
    public void The_reference_page_is_the_one_of_the_table_of_problems()
    {
        var page = new StringBuilder(Introduction);
        foreach (Problem problem in Problem.Table)
            page.Append($"| {problem.Status} | `{problem.Code}` | {problem.Title} | {problem.ExitCode} | {problem.Meaning} |\n");
        ReferencePage.IsUpToDate("docs/reference/errors.md", page.Append(Further).ToString());
    }
}
