using StacyVM.Engine.Checks;

namespace StacyVM.Cli.Operations;

/// <summary>One check as it is printed.</summary>
/// <param name="Name">Dotted.</param>
/// <param name="Status"><c>PASS</c>, <c>WARN</c> or <c>FAIL</c>.</param>
/// <param name="Message">What was found.</param>
/// <param name="Remediation">What to do; null where there is nothing to do.</param>
internal sealed record CheckRow(string Name, string Status, string Message, string? Remediation)
{
    public static CheckRow Of(Check check) => new(check.Name, Word(check.Status), check.Message, check.Remedy.Length == 0 ? null : check.Remedy);

    private static string Word(CheckStatus status) => status switch
    {
        CheckStatus.Pass => "PASS",
        CheckStatus.Warn => "WARN",
        _ => "FAIL",
    };
}
