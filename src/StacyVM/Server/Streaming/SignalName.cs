using System.Collections.Frozen;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server.Streaming;

/// <summary>Signals by name, with or without <c>SIG</c>, or by number.</summary>
internal static class SignalName
{
    /// <summary>Linux numbers them from 1 in this order, on every architecture that we run on.</summary>
    private const string InOrder =
        "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";

    private static readonly FrozenDictionary<string, int> Numbers =
        InOrder.Split(' ').Index().ToFrozenDictionary(entry => entry.Item, entry => entry.Index + 1, StringComparer.OrdinalIgnoreCase);

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>.</exception>
    public static int Parse(string? text)
    {
        string name = text?.Trim() ?? "";
        if (int.TryParse(name, System.Globalization.NumberStyles.None, null, out int number) && number is >= 1 and <= 64)
            return number;
        if (name.StartsWith("SIG", StringComparison.OrdinalIgnoreCase))
            name = name[3..];
        return Numbers.TryGetValue(name, out number)
            ? number
            : throw new StacyVMException(ProblemKind.InvalidInput, "signal is a name such as SIGINT or a number from 1 to 64");
    }
}
