namespace StacyVM.Protocol.Problems;

/// <summary>
/// A problem with its detail. Thrown where the fact is known, translated once at each edge; never told apart by text.
/// </summary>
/// <param name="kind">The row of the table.</param>
/// <param name="detail">What happened, to which id, and what to do; without the row's title.</param>
/// <param name="inner">The cause, for the log.</param>
public class StacyVMException(ProblemKind kind, string detail, Exception? inner = null)
    : Exception(Text(kind, detail), inner)
{
    /// <summary>Which problem.</summary>
    public ProblemKind Kind { get; } = kind;

    /// <summary>The message without the row's title, for a problem that is told inside another.</summary>
    public string Detail { get; } = detail;

    /// <summary>The row of the table.</summary>
    public Problem Problem => Problem.Of(Kind);

    private static string Text(ProblemKind kind, string detail)
    {
        string title = Problem.Of(kind).Title;
        return title.Length == 0 ? detail : detail.Length == 0 ? title : $"{title}: {detail}";
    }
}
