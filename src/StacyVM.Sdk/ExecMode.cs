namespace StacyVM.Sdk;

/// <summary>How a command is understood.</summary>
public enum ExecMode
{
    /// <summary>Text for <c>sh -c</c>; arguments are quoted and appended.</summary>
    Shell,

    /// <summary>A program, started directly with its arguments.</summary>
    Argv,
}
