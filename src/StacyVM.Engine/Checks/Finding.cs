namespace StacyVM.Engine.Checks;

/// <summary>What a rule has found, before it is known whether this is production.</summary>
/// <param name="Message">In words. Never a secret.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record Finding(string Message, string Remedy)
{
    private enum Gravity
    {
        Fine,
        Odd,
        NotForProduction,
        Wrong,
    }

    private Gravity Grave { get; init; }

    public static Finding Pass(string message) => new(message, "") { Grave = Gravity.Fine };

    /// <summary>A warning everywhere.</summary>
    public static Finding Warn(string message, string remedy) => new(message, remedy) { Grave = Gravity.Odd };

    /// <summary>A failure in production, a warning elsewhere.</summary>
    public static Finding Unfit(string message, string remedy) => new(message, remedy) { Grave = Gravity.NotForProduction };

    /// <summary>A failure everywhere.</summary>
    public static Finding Fail(string message, string remedy) => new(message, remedy) { Grave = Gravity.Wrong };

    public Check ToCheck(string name, bool production) => new(name, Status(production), Message, Remedy);

    private CheckStatus Status(bool production) => Grave switch
    {
        Gravity.Fine => CheckStatus.Pass,
        Gravity.Odd => CheckStatus.Warn,
        Gravity.NotForProduction when !production => CheckStatus.Warn,
        _ => CheckStatus.Fail,
    };
}
