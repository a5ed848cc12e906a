using System.Collections.Frozen;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server.Streaming;

/// <summary>Signals by name, with or without <c>SIG</c>, or by number.</summary>
internal static class SignalName
{
    private static readonly FrozenDictionary<string, int> Numbers = new Dictionary<string, int>
    {
        ["HUP"] = 1, ["INT"] = 2, ["QUIT"] = 3, ["ILL"] = 4, ["TRAP"] = 5, ["ABRT"] = 6, ["BUS"] = 7, ["FPE"] = 8, ["KILL"] = 9, ["USR1"] = 10,
        ["SEGV"] = 11, ["USR2"] = 12, ["PIPE"] = 13, ["ALRM"] = 14, ["TERM"] = 15, ["CHLD"] = 17, ["CONT"] = 18, ["STOP"] = 19, ["TSTP"] = 20,
        ["TTIN"] = 21, ["TTOU"] = 22, ["URG"] = 23, ["XCPU"] = 24, ["XFSZ"] = 25, ["VTALRM"] = 26, ["PROF"] = 27, ["WINCH"] = 28, ["IO"] = 29,
        ["PWR"] = 30, ["SYS"] = 31,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

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
