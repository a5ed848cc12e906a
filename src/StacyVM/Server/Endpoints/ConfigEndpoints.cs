using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Changes of the configuration, for administrators. Each is audited, whatever comes of it.</summary>
internal sealed partial class ConfigEndpoints(ConfigurationEditor? editor, IStore store, ILogger<ConfigEndpoints> log, TimeProvider time)
{
    private static readonly ConfigurationOrigin Origin = ConfigurationOrigin.Flag("PATCH /config");

    public void Map(IEndpointRouteBuilder api)
    {
        foreach (string path in (string[])["/config", "/system/config"])
        {
            api.MapPatch(path, PatchAsync).RequireScope(Scopes.Admin).Describe(new RouteDescription(
                "patchConfig", "Change the configuration",
                "An object of dotted keys. All of it is changed or nothing. Only limits, lifetimes, rates and logging can be changed here; the file keeps its comments, and its former content is kept beside it.")
                .Takes(RestJson.Default.DictionaryStringJsonElement, """{"defaults.ttl":"15m","logging.level":"debug"}""")
                .AnswersWith(200, RestJson.Default.ConfigUpdate,
                    """{"status":"updated","message":"logging.level is in force; restart the server for defaults.ttl","applied":["logging.level"],"after_restart":["defaults.ttl"],"file":"/etc/stacyvm.yaml","backup":"/etc/stacyvm.yaml.bak"}""")
                .Fails(ProblemKind.Conflict, ProblemKind.Unavailable, ProblemKind.Unsupported));
        }
    }

    private async Task PatchAsync(HttpContext context)
    {
        Dictionary<string, JsonElement> body = await JsonBody.ReadAsync(context, RestJson.Default.DictionaryStringJsonElement);
        string actor = context.Caller().Actor;
        string keys = string.Join(", ", body.Keys.Select(name => ConfigurationKeys.Find(name.ToLowerInvariant())?.Name ?? "(unknown)").Distinct());
        ConfigurationChange change;
        try
        {
            if (editor is null)
                throw new StacyVMException(ProblemKind.Unsupported, "this server was not started from a configuration file");
            change = editor.Change(body.ToDictionary(field => field.Key, field => ValueOf(field.Value)));
        }
        catch (StacyVMException e)
        {
            Audit(actor, keys, e.Problem.Code);
            Refused(log, actor, keys);
            throw;
        }
        Audit(actor, keys, null);
        Changed(log, actor, keys, change.File);
        await JsonAnswer.OkAsync(context, Describe(change), RestJson.Default.ConfigUpdate);
    }

    private static ConfigUpdate Describe(ConfigurationChange change)
    {
        List<string> words = [];
        if (change.Applied.Count > 0)
            words.Add($"{string.Join(", ", change.Applied)} {(change.Applied.Count == 1 ? "is" : "are")} in force");
        if (change.AfterRestart.Count > 0)
            words.Add($"restart the server for {string.Join(", ", change.AfterRestart)}");
        if (change.Overridden.Count > 0)
            words.Add($"a variable or a flag of the server overrides {string.Join(", ", change.Overridden)}");
        return new ConfigUpdate
        {
            Status = "updated",
            Message = string.Join("; ", words),
            Applied = change.Applied.Count > 0 ? change.Applied : null,
            AfterRestart = change.AfterRestart.Count > 0 ? change.AfterRestart : null,
            Overridden = change.Overridden.Count > 0 ? change.Overridden : null,
            File = change.File,
            Backup = change.Backup,
        };
    }

    /// <summary>As the file would have it; null for what no key takes.</summary>
    private static ConfigurationValue? ValueOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => new(Origin) { Text = value.GetString() },
        JsonValueKind.Number => new(Origin) { Text = value.GetRawText() },
        JsonValueKind.True => new(Origin) { Text = "true" },
        JsonValueKind.False => new(Origin) { Text = "false" },
        _ => null,
    };

    private void Audit(string actor, string keys, string? failure) => store.Append(new AuditRow(
        actor, "config.update", "", keys, "", failure is null ? "success" : "failure", failure is null ? "" : $"error={failure}", "", time.GetUtcNow().UtcDateTime));

    [LoggerMessage(EventName = "config.updated", Level = LogLevel.Information, Message = "{Actor} changed {Keys} in {File}")]
    private static partial void Changed(ILogger logger, string actor, string keys, string file);

    [LoggerMessage(EventName = "config.update_refused", Level = LogLevel.Warning, Message = "a change of {Keys} by {Actor} was refused; nothing was changed")]
    private static partial void Refused(ILogger logger, string actor, string keys);
}
