namespace StacyVM.Engine.Checks;

/// <summary>What a check found.</summary>
internal enum CheckStatus
{
    Pass,

    /// <summary>Works, and somebody should know.</summary>
    Warn,

    Fail,
}
