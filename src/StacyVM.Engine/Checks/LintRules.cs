using static StacyVM.Engine.Checks.Finding;

namespace StacyVM.Engine.Checks;

/// <summary>The table of checks of <c>config lint</c>, in the order of its output. Sandboxes and their levels are in <see cref="LevelRules"/>.</summary>
internal static class LintRules
{
    private static readonly string[] OidcGroups = ["auth.oidc_admin_groups", "auth.oidc_operator_groups", "auth.oidc_viewer_groups"];

    public static readonly IReadOnlyList<LintRule> All = [.. Access(), .. Workers(), .. Oidc(), .. Server(), .. LevelRules.Sandboxes, .. WorkerTls(), .. LevelRules.Levels];

    /// <summary>The rule of one check.</summary>
    public static LintRule Of(string name) => All.First(rule => rule.Name == name);

    private static IEnumerable<LintRule> Access() =>
    [
        new("auth.enabled", ["auth.allow_anonymous", "auth.api_key", "server.host"], Enabled),
        Secret("auth.api_key"),
        Secret("auth.admin_api_key"),
        new("auth.key_separation", ["auth.api_key", "auth.admin_api_key"], v =>
            v.Text("auth.api_key") is not { Length: > 0 } key || v.Text("auth.admin_api_key").Length == 0 ? Pass("no key is for two kinds of callers")
                : key == v.Text("auth.admin_api_key") ? Unfit("clients and operators have the same key", "give operators a key of their own")
                : Pass("clients and operators have different keys")),
        new("auth.admin_fallback_enabled", ["auth.admin_fallback_enabled"], v =>
            v.Flag("auth.admin_fallback_enabled")
                ? Unfit("the client key opens /admin while there is no admin key", "set auth.admin_fallback_enabled: false")
                : Pass("only the admin key opens /admin")),
        new("auth.admin_audit_retention", ["auth.admin_audit_retention"], v =>
            v.Duration("auth.admin_audit_retention") > TimeSpan.Zero
                ? Pass($"rows are kept for {v.Text("auth.admin_audit_retention")}")
                : Unfit("the audit of operators grows for ever", "set auth.admin_audit_retention, e.g. 2160h")),
    ];

    private static Finding Enabled(ConfiguredValues v)
    {
        if (v.Flag("auth.allow_anonymous"))
            return Unfit("auth.allow_anonymous: whoever reaches the server may run code in sandboxes", "set auth.allow_anonymous: false");
        if (v.Text("auth.api_key").Length > 0 || v.Text("auth.admin_api_key").Length > 0)
            return Pass("callers need a key");
        return v.Text("server.host") is "127.0.0.1" or "::1"
            ? Unfit("no key is needed from this machine", "set auth.api_key")
            : Pass("callers need the key that the server makes at its first start");
    }

    private static LintRule Secret(string key) => new(key, [key], v =>
        SecretStrength.FaultOf(v.Text(key)) is { } fault ? Unfit(fault, $"set {key} or {key}_file; {SecretStrength.Remedy}") : Pass("set, and long enough"));

    private static IEnumerable<LintRule> Workers() =>
    [
        new("auth.worker_signing_key", ["auth.worker_signing_key", "auth.worker_signing_keys"], v =>
        {
            bool rotation = v.List("auth.worker_signing_keys").Length > 0;
            string key = v.Text("auth.worker_signing_key");
            return key.Length == 0
                ? rotation ? Unfit("only old keys are set: nothing can be signed", "set auth.worker_signing_key") : null
                : SecretStrength.FaultOf(key) is { } fault ? Unfit(fault, SecretStrength.Remedy) : Pass("set, and long enough");
        })
        { OnlyWhenSet = true },
        new("auth.worker_signing_key_file", ["auth.worker_signing_key"], v => v.Text("auth.worker_signing_key").Length == 0 ? null : InFile(v, "auth.worker_signing_key")) { OnlyWhenSet = true },
        new("auth.worker_signing_keys", ["auth.worker_signing_keys", "auth.worker_signing_key"], v =>
        {
            string[] keys = v.List("auth.worker_signing_keys");
            if (keys.Length == 0)
                return null;
            return keys.Contains(v.Text("auth.worker_signing_key")) || keys.Distinct().Count() < keys.Length
                ? Warn("the old keys repeat one another or the active key", "keep each key once")
                : Pass($"{keys.Length} old keys are accepted");
        })
        { OnlyWhenSet = true },
        new("auth.worker_revoked_token_ids", ["auth.worker_revoked_token_ids", "auth.worker_signing_key"], v =>
        {
            int count = v.List("auth.worker_revoked_token_ids").Length;
            return count == 0 ? null
                : v.Text("auth.worker_signing_key").Length == 0 ? Warn("tokens are revoked, and no key signs any", "set auth.worker_signing_key, or remove the list")
                : Pass($"{count} tokens are refused");
        })
        { OnlyWhenSet = true },
        new("auth.worker_token", ["auth.worker_token", "auth.worker_signing_key"], v =>
            v.Text("auth.worker_token").Length > 0 && v.Text("auth.worker_signing_key").Length > 0
                ? Warn("a shared token is set beside a signing key", "remove auth.worker_token when all workers have signed tokens")
                : null)
        { OnlyWhenSet = true },
        new("auth.worker_token_file", ["auth.worker_token"], v => v.Text("auth.worker_token").Length == 0 ? null : InFile(v, "auth.worker_token")) { OnlyWhenSet = true },
        new("auth.worker_tokens", ["auth.worker_tokens", "auth.worker_token", "auth.worker_signing_key"], v =>
        {
            bool signing = v.Text("auth.worker_signing_key").Length > 0;
            if (v.Text("auth.worker_tokens").Length > 0)
                return signing ? Warn("tokens of single workers are set beside a signing key", "remove them when all workers have signed tokens") : Pass("each worker has a token of its own");
            return signing ? null
                : v.Text("auth.worker_token").Length > 0 ? Warn("all workers share one token", "set auth.worker_signing_key")
                : Warn("workers cannot join: there is no token and no signing key", "set auth.worker_signing_key when you want workers");
        }),
    ];

    private static IEnumerable<LintRule> Oidc() =>
    [
        new("auth.oidc_enabled", ["auth.oidc_enabled"], v => Pass(v.Flag("auth.oidc_enabled") ? "on" : "off")),
        new("auth.oidc_issuer", ["auth.oidc_issuer"], v =>
            v.Text("auth.oidc_issuer").Length > 0 ? Pass("set") : Unfit("tokens of any issuer are accepted", "set auth.oidc_issuer")) { When = HasOidc },
        new("auth.oidc_jwks_url", ["auth.oidc_jwks_url", "auth.oidc_public_key"], v =>
            v.Text("auth.oidc_jwks_url").Length > 0 || v.Text("auth.oidc_public_key").Length > 0
                ? Pass("there are keys to verify with")
                : Unfit("nothing to verify tokens with", "set auth.oidc_jwks_url")) { When = HasOidc },
        new("auth.oidc_public_key_file", ["auth.oidc_public_key"], v => v.Text("auth.oidc_public_key").Length == 0 ? null : InFile(v, "auth.oidc_public_key")) { When = HasOidc },
        new("auth.oidc_audience", ["auth.oidc_audience"], v =>
            v.Text("auth.oidc_audience").Length > 0 ? Pass("set") : Warn("tokens for any audience are accepted", "set auth.oidc_audience")) { When = HasOidc },
        new("auth.oidc_groups", OidcGroups, v =>
            OidcGroups.Any(key => v.List(key).Length > 0) ? Pass("groups have roles") : Warn("no group has a role", $"set {string.Join(", ", OidcGroups)}")) { When = HasOidc },
    ];

    private static bool HasOidc(ConfiguredValues v) => v.Flag("auth.oidc_enabled");

    private static IEnumerable<LintRule> Server() =>
    [
        new("server.cors_allowed_origins", ["server.cors_allowed_origins"], v =>
            v.List("server.cors_allowed_origins").Contains("*")
                ? Unfit("any web page may call the API from a browser", "list the origins of your own pages")
                : Pass(v.List("server.cors_allowed_origins") is { Length: > 0 } origins ? string.Join(", ", origins) : "no foreign page may call the API")),
        new("rate_limit.enabled", ["rate_limit.enabled"], v =>
            v.Flag("rate_limit.enabled") ? Pass("on") : Unfit("a caller may ask without end", "set rate_limit.enabled: true")),
        new("rate_limit.capacity", ["rate_limit.requests_per_minute", "rate_limit.burst"], v =>
            v.Number("rate_limit.requests_per_minute") > 0 && v.Number("rate_limit.burst") > 0
                ? Pass($"{v.Text("rate_limit.requests_per_minute")} a minute, {v.Text("rate_limit.burst")} at once")
                : Unfit("a rate or a burst of 0 limits nothing", "set rate_limit.requests_per_minute and rate_limit.burst"))
        { OnlyWhenSet = true },
        new("rate_limit.key_by", ["rate_limit.key_by"], v =>
            v.Text("rate_limit.key_by") == "ip" ? Warn("callers behind one address share a limit", "set rate_limit.key_by: api_key or owner") : Pass(v.Text("rate_limit.key_by")))
        { OnlyWhenSet = true },
        new("database.driver", ["database.driver"], v => Pass(v.Text("database.driver"))),
        new("database.dsn", ["database.dsn"], v =>
            v.Text("database.driver") == "sqlite" ? null
                : v.Text("database.dsn").Length > 0 ? Pass("set") : Fail("Postgres has no connection string", "set database.dsn or database.dsn_file"))
        { OnlyWhenSet = true },
        new("database.path", ["database.path"], v =>
            v.IsRelative("database.path")
                ? Unfit("relative: the file depends on where the server is started", "write an absolute path")
                : Pass(v.Text("database.path"))) { When = v => v.Text("database.driver") == "sqlite" },
        new("logging.format", ["logging.format"], v =>
            v.Text("logging.format") == "json" ? Pass("json") : Unfit("made for eyes, not for a log collector", "set logging.format: json")),
    ];

    private static IEnumerable<LintRule> WorkerTls() =>
    [
        new("worker.rpc_tls.enabled", ["worker.rpc_tls.enabled"], v =>
            HasTls(v) ? Pass("on") : Warn("server and workers talk without TLS", "set worker.rpc_tls.enabled when there are workers")),
        TlsFile("server_cert", "server_cert_file", "server_key_file"),
        TlsFile("client_ca", "client_ca_file"),
        TlsFile("ca", "ca_file"),
        TlsFile("client_cert", "client_cert_file", "client_key_file"),
        new("worker.rpc_tls.insecure_skip_verify", ["worker.rpc_tls.insecure_skip_verify"], v =>
            v.Flag("worker.rpc_tls.insecure_skip_verify") ? Unfit("any certificate is accepted", "set it to false") : Pass("certificates are verified")) { When = HasTls },
    ];

    private static bool HasTls(ConfiguredValues v) => v.Flag("worker.rpc_tls.enabled");

    private static LintRule TlsFile(string name, params string[] keys)
    {
        string[] full = [.. keys.Select(key => "worker.rpc_tls." + key)];
        return new($"worker.rpc_tls.{name}", full, v =>
            full.All(key => v.Text(key).Length > 0) ? Pass("set") : Unfit("not set", $"set {string.Join(" and ", full)}"))
        { When = HasTls };
    }

    private static Finding InFile(ConfiguredValues v, string key) => v.IsFromFile(key)
        ? Pass("the secret stands in a file of its own")
        : Warn("the secret stands in the configuration itself", $"put it into a file of its own and name that by {key}_file");
}
