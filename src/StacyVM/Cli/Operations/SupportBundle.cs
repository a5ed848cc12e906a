using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StacyVM.Cli.Commands;
using StacyVM.Cli.Serve;
using StacyVM.Engine.Checks;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Sdk;

namespace StacyVM.Cli.Operations;

/// <summary>
/// One file for whoever is asked for help. It holds what is listed as harmless, never everything but what looks secret; texts that remain are
/// scrubbed of every secret that this machine knows, and of what has the form of one.
/// </summary>
internal sealed class SupportBundle
{
    private static readonly string[] Redactions =
    [
        "Configuration: numbers, switches, words of closed sets and listed texts only; secrets are [REDACTED], other texts are left out.",
        "Checks: every known secret, credentials in URLs and what has the form of a secret are replaced by [REDACTED].",
        "Server diagnostics: numbers and listed words only; error texts, paths, owners and addresses are left out.",
        "Not collected at all: environment variables, logs, files, commands, sandbox contents, database rows.",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ConfigurationSources _sources;
    private readonly LoadedConfiguration? _loaded;
    private readonly TextScrubber _scrubber;
    private readonly JsonObject _content = [];
    private readonly List<string> _errors = [];

    private SupportBundle(ConfigurationSources sources, LoadedConfiguration? loaded, string? apiKey)
    {
        (_sources, _loaded) = (sources, loaded);
        _scrubber = new TextScrubber(KnownSecrets.Of(sources, loaded, [apiKey]));
    }

    /// <summary>1 what this is, 2 the configuration and its checks, 3 the machine, when asked, 4 the server, when asked.</summary>
    /// <param name="sources">Of the configuration.</param>
    /// <param name="includeDoctor">Try the machine.</param>
    /// <param name="server">Makes the client of the server to ask; null: none is asked.</param>
    /// <param name="apiKey">The key of the command line, so that it is known as a secret.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends the asking.</param>
    public static async Task<JsonObject> CollectAsync(
        ConfigurationSources sources, bool includeDoctor, Func<StacyClient>? server, string? apiKey, TimeProvider time, CancellationToken cancellation)
    {
        ConfigurationException? faults = null;
        LoadedConfiguration? loaded = null;
        try
        {
            loaded = ConfigurationLoader.Load(sources);
        }
        catch (ConfigurationException fault)
        {
            faults = fault;
        }
        var bundle = new SupportBundle(sources, loaded, apiKey);
        // 1.
        string[] platform = VersionAction.Platform.Split('/');
        bundle._content["generated_at"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        bundle._content["version"] = VersionAction.Version;
        bundle._content["runtime"] = new JsonObject { ["goos"] = platform[0], ["goarch"] = platform[1] };
        // 2.
        bundle.AddConfiguration(faults);
        // 3.
        if (includeDoctor && loaded is not null)
            bundle._content["doctor"] = bundle.Rows(await Doctor.RunAsync(sources, production: false, EmbeddedAgent.Open));
        // 4.
        if (server is not null)
            await bundle.AddServerAsync(server, cancellation);
        if (bundle._errors.Count > 0)
            bundle._content["collection_errors"] = Texts(bundle._errors);
        bundle._content["redactions"] = Texts(Redactions);
        return bundle._content;
    }

    /// <summary>Written aside, for its owner alone, and given its name when it is whole.</summary>
    public static void Write(JsonObject content, string path)
    {
        string draft = $"{path}.{Environment.ProcessId}.partial";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            using (var writer = new StreamWriter(draft, options))
                writer.WriteLine(content.ToJsonString(Indented));
            File.Move(draft, path, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    private void AddConfiguration(ConfigurationException? faults)
    {
        if (_loaded is not null)
        {
            _content["config"] = ConfigurationExtract.Of(_loaded, _scrubber);
            _content["config_lint"] = Rows(ConfigurationLint.Run(_loaded, production: false));
            return;
        }
        // The text of a fault repeats what was written, and what was written into the wrong place may be a secret.
        _content["config"] = null;
        _content["config_lint"] = Rows(faults!.Faults.Select(fault =>
            new Check("config", CheckStatus.Fail, $"{(ConfigurationKeys.Find(fault.Key) is null ? "a key or file" : fault.Key)} has a fault", "run stacyvm config lint on the machine")));
        _errors.Add("the configuration does not load: no doctor, and its values are left out");
    }

    private async Task AddServerAsync(Func<StacyClient> server, CancellationToken cancellation)
    {
        try
        {
            using StacyClient client = server();
            _content["server_diagnostics"] = DiagnosticsFilter.Filter(await client.ReadJsonAsync("diagnostics", cancellation));
        }
        catch (StacyVMException fault)
        {
            // The code alone: what a server or a proxy says is a free text.
            _errors.Add($"GET /diagnostics: {(fault is ConnectionException ? "no server answers" : fault.Problem.Code)}");
        }
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private JsonArray Rows(IEnumerable<Check> checks) => new([.. checks.Select(CheckRow.Of).Select(row => new JsonObject
    {
        ["Name"] = ConfigurationKeys.Find(row.Name) is not null || LintRules.All.Any(rule => rule.Name == row.Name) || IsOurs(row.Name) ? row.Name : "unknown key",
        ["Status"] = row.Status,
        ["Message"] = _scrubber.Scrub(row.Message),
        ["Remediation"] = _scrubber.Scrub(row.Remediation ?? ""),
    })]);

    // A warning is named by the key that was written, and an unknown one can be anything.
    private bool IsOurs(string name) => _loaded?.Warnings.All(warning => warning.Key != name) ?? true;
}
