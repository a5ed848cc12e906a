using StacyVM.Engine.Providers.Remote;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>Bodies of the contract.</summary>
internal static class CustomRequests
{
    /// <summary>Of <c>/exec</c>: always <c>argv</c>, which no shell reads again.</summary>
    public static HttpContent Exec(string remote, ExecSpec spec, bool stream) => RemoteJson.Body(json =>
    {
        json.WriteString("sandbox_id", remote);
        json.WriteString("command", spec.Arguments[0]);
        if (spec.Arguments.Count > 1)
            json.WriteList("args", spec.Arguments.Skip(1));
        json.WriteString("mode", "argv");
        if (spec.Environment.Count > 0)
            json.WriteMap("env", spec.Environment);
        if (spec.WorkingDirectory.Length > 0)
            json.WriteString("workdir", spec.WorkingDirectory);
        if (stream)
            json.WriteBoolean("stream", true);
    });

    public static string Query(string route, string remote, string name, string value) =>
        $"{route}?sandbox_id={Uri.EscapeDataString(remote)}&{name}={Uri.EscapeDataString(value)}";

    public static string Octal(uint mode) => Convert.ToString(mode, 8).PadLeft(4, '0');
}
