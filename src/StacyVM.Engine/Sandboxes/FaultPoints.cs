using System.Diagnostics;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Named steps at which a test ends the server as <c>kill -9</c> would. Inert unless <c>STACYVM_FAULT</c> names one; <c>name:3</c> means
/// the third time it is reached.
/// </summary>
internal static class FaultPoints
{
    /// <summary>Every name, in the order of the flows.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "create.reserved", "create.record_written", "create.built", "create.prepared", "create.running_written", "create.announced",
        "destroy.begun", "destroy.record_written", "destroy.removed", "destroy.row_written",
        "start.store_opened", "start.records_loaded", "start.recovered", "start.listed", "start.orphan_removed",
    ];

    private static readonly (string Name, int Count) Armed = Parse(Environment.GetEnvironmentVariable("STACYVM_FAULT"));

    private static int _hits;

    /// <summary>Ends the process here when the point is armed.</summary>
    public static void Hit(string name)
    {
        if (Armed.Count == 0 || name != Armed.Name || Interlocked.Increment(ref _hits) != Armed.Count)
            return;
        // SIGKILL and not FailFast: nothing may run on the way out, no flush, no finalizer, no dump.
        using var self = Process.GetCurrentProcess();
        self.Kill();
        Thread.Sleep(Timeout.Infinite);
    }

    private static (string, int) Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return ("", 0);
        int colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), out int count) && count > 0 ? (text[..colon], count) : (text, 1);
    }
}
