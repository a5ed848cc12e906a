using System.Globalization;

namespace StacyVM.Tests.Conformance;

/// <summary>The servers of the suite where there is busybox and no Python.</summary>
internal static class BusyboxServers
{
    public static IReadOnlyList<string> Echo(int port) => Serve(port, $"nc -ll -p {port} -e cat");

    public static IReadOnlyList<string> Web(int port) => Serve(port, $"mkdir -p www && printf hello >www/index.html && httpd -f -p {port} -h www");

    /// <summary>Says so when the kernel has the port among those that are listened on.</summary>
    private static IReadOnlyList<string> Serve(int port, string server) =>
    [
        "sh", "-c",
        $"({server}) & until grep -q ':{port.ToString("X4", CultureInfo.InvariantCulture)} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6; do usleep 1000; done; echo ready; wait",
    ];
}
