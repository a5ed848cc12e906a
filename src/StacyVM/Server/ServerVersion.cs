using System.Reflection;

namespace StacyVM.Server;

/// <summary>The version of this build.</summary>
internal static class ServerVersion
{
    /// <summary>Without the commit that the build may have added.</summary>
    public static string Text { get; } =
        typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
