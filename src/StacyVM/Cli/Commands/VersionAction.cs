using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Runtime.InteropServices;

namespace StacyVM.Cli.Commands;

/// <summary>Prints <c>stacyvm 0.15.0 (linux/amd64)</c>.</summary>
internal sealed class VersionAction : SynchronousCommandLineAction
{
    /// <summary>The version without what follows a plus sign.</summary>
    public static string Version { get; } =
        typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "dev";

    /// <summary>System and processor by the names that scripts of the original know.</summary>
    public static string Platform { get; } =
        (OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsWindows() ? "windows" : "unknown")
        + "/" + RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "amd64",
            Architecture.Arm64 => "arm64",
            var other => other.ToString().ToLowerInvariant(),
        };

    public override int Invoke(ParseResult parseResult)
    {
        Console.Out.WriteLine($"stacyvm {Version} ({Platform})");
        return 0;
    }
}
