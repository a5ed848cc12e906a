using StacyVM.Engine.Checks;

namespace StacyVM.Cli.Operations;

/// <summary>Checks that belong together.</summary>
internal sealed record CheckSection(string Title, IReadOnlyList<CheckRow> Checks)
{
    public static CheckSection Of(string title, IEnumerable<Check> checks) => new(title, [.. checks.Select(CheckRow.Of)]);
}
