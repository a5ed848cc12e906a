using System.CommandLine;
using StacyVM.Cli.Serve;

namespace StacyVM.Cli.Commands;

internal static class ServeCommand
{
    public static Command Create()
    {
        var host = new Option<string?>("--host") { Description = "Address to listen on; beyond loopback a key is needed [default: 127.0.0.1]" };
        var port = new Option<int?>("--port") { Description = "Port to listen on [default: 7423]" };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 0 or > 65535)
                result.AddError("a port lies between 0 and 65535");
        });
        var provider = new Option<string?>("--provider") { Description = "Isolation level for those who name none [default: auto, the strongest that works here]" };
        var command = new Command("serve", "Run the server") { host, port, provider };
        command.SetAction(parsed =>
        {
            var flags = new Dictionary<string, string>();
            Add(flags, "server.host", parsed.GetValue(host));
            Add(flags, "server.port", parsed.GetValue(port)?.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Add(flags, "data_dir", parsed.GetValue(GlobalOptions.DataDir));
            Add(flags, "providers.default", parsed.GetValue(provider));
            // No wall at all: enabled only by who asks for it by name.
            if (parsed.GetValue(provider) == "mock")
                flags["providers.mock.enabled"] = "true";
            return ServerRun.RunAsync(parsed.GetValue(GlobalOptions.Config), flags);
        });
        return command;
    }

    private static void Add(Dictionary<string, string> flags, string key, string? value)
    {
        if (value is not null)
            flags[key] = value;
    }
}
