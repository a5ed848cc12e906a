using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Configuration;

/// <summary>The configuration cannot be used. Carries every fault, not only the first.</summary>
internal sealed class ConfigurationException(IReadOnlyList<ConfigurationFault> faults)
    : StacyVMException(ProblemKind.InvalidInput, Text(faults))
{
    public IReadOnlyList<ConfigurationFault> Faults { get; } = faults;

    private static string Text(IReadOnlyList<ConfigurationFault> faults) =>
        $"the configuration has {(faults.Count == 1 ? "a fault" : $"{faults.Count} faults")}:\n" + string.Join('\n', faults.Select(fault => "  " + fault));
}
