using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Commands;

/// <summary>Operations since the start of the server, for people.</summary>
internal static class OperationTable
{
    public static TextTable Of(IReadOnlyList<OperationInfo> operations)
    {
        var table = new TextTable("OPERATION", "LEVEL", "SUCCEEDED", "FAILED", "AVG MS", "MAX MS", "LAST ERROR");
        foreach (OperationInfo row in operations)
        {
            table.Add(
                row.Operation, row.Provider, Number(row.SuccessTotal), Number(row.FailureTotal), Number(row.LatencyAvgMs), Number(row.LatencyMaxMs), row.LastError ?? "");
        }
        return table;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
