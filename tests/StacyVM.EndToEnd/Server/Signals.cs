using System.Runtime.InteropServices;

namespace StacyVM.EndToEnd.Server;

internal static partial class Signals
{
    public const int Kill9 = 9;
    public const int Term = 15;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);
}
