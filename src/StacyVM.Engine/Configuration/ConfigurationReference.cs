using System.Text;

namespace StacyVM.Engine.Configuration;

/// <summary>The reference page of the configuration, written from the table of keys.</summary>
internal static class ConfigurationReference
{
    private const string Introduction = """
        # Configuration

        Every key has a default; nothing has to be set. Weakest first: the defaults, one file, `STACYVM_*` variables, flags. The file is the one of
        `--config` or `STACYVM_CONFIG`, else `./stacyvm.yaml`, else `~/.stacyvm/config.yaml`; they are not merged.

        A variable is the key in capitals with underscores: `server.port` is `STACYVM_SERVER_PORT`. Lists take commas there; maps stand only in the file.
        A secret can stand in a file of its own, named by the key with `_file` at its end. Durations look like `30s` or `1h30m`, sizes like `512m`.
        Unknown keys are reported with the nearest known one; values that do not fit stop the server, all of them listed at once.

        """;

    public static string Markdown()
    {
        var page = new StringBuilder(Introduction);
        foreach (IGrouping<string, ConfigurationKey> section in ConfigurationKeys.All.Where(key => key.IsUsed).GroupBy(SectionOf))
        {
            page.Append($"\n## {section.Key}\n\n| key | type | default | meaning |\n|---|---|---|---|\n");
            foreach (ConfigurationKey key in section)
                page.Append($"| `{key.Name}`{(key.IsSecret ? " (secret)" : "")} | {key.Type} | {Default(key)} | {Prose(key)} |\n");
        }
        page.Append("\n## Not used by this version\n\nAccepted, checked, and reported when set; they have no effect.\n\n| key | type | meaning |\n|---|---|---|\n");
        foreach (ConfigurationKey key in ConfigurationKeys.All.Where(key => !key.IsUsed))
            page.Append($"| `{key.Name}` | {key.Type} | {Prose(key)} |\n");
        return page.ToString();
    }

    private static string SectionOf(ConfigurationKey key) => key.Name.LastIndexOf('.') is > 0 and var dot ? key.Name[..dot] : "general";

    // An angle bracket would begin HTML.
    private static string Prose(ConfigurationKey key) => key.Meaning.Replace("<", "\\<");

    private static string Default(ConfigurationKey key) =>
        key.DefaultNote ?? (key.Default.Length == 0 ? "empty" : $"`{key.Default}`");
}
