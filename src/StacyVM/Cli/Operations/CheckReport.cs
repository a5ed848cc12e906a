using StacyVM.Engine.Checks;

namespace StacyVM.Cli.Operations;

/// <summary>Checks as they are printed.</summary>
internal sealed record CheckReport(IReadOnlyList<CheckRow> Checks, int Failed, int Warned)
{
    public static CheckReport Of(IReadOnlyList<Check> checks) => new(
        [.. checks.Select(CheckRow.Of)],
        checks.Count(check => check.Status == CheckStatus.Fail),
        checks.Count(check => check.Status == CheckStatus.Warn));
}
