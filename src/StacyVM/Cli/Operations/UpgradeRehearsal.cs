using System.Globalization;
using StacyVM.Cli.Serve;
using StacyVM.Engine.Checks;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Operations;

/// <summary>What an upgrade would find and do on this machine, tried without touching the database.</summary>
/// <param name="Sections">Each with its checks.</param>
/// <param name="Flow">The steps of the upgrade itself, with the paths of this machine.</param>
/// <param name="Note">What was not tried; null when everything was.</param>
/// <param name="Failed">Failing checks in all sections.</param>
internal sealed record UpgradeRehearsal(IReadOnlyList<CheckSection> Sections, IReadOnlyList<string> Flow, string? Note, int Failed)
{
    /// <summary>1 the configuration, 2 the database and where its backup goes, 3 the migrations on a copy, 4 the machine, when asked.</summary>
    public static async Task<UpgradeRehearsal> RunAsync(ConfigurationSources sources, string? database, string? backupOutput, bool includeDoctor, TimeProvider time)
    {
        var sections = new List<CheckSection>();
        // 1.
        IReadOnlyList<Check> lint = ConfigurationLint.Run(sources, production: true);
        sections.Add(CheckSection.Of("Configuration", lint));
        DateTime now = time.GetUtcNow().UtcDateTime;
        string backup = backupOutput ?? "";
        if (lint.All(check => check.Name != "config" || check.Status != CheckStatus.Fail))
        {
            // 2.
            string source = Database.Of(sources, database).Path;
            backup = backupOutput is null ? Default(source, now) : sources.Absolute(backupOutput);
            List<Check> found = [.. DatabaseChecks(source, backup)];
            // 3.
            if (found.All(check => check.Status != CheckStatus.Fail))
                found.Add(Migrations(source, Path.GetDirectoryName(backup)!, now));
            sections.Add(CheckSection.Of("Database", found));
            // 4.
            if (includeDoctor)
            {
                EmbeddedAgent.Require();
                sections.Add(CheckSection.Of("Machine", await Doctor.RunAsync(sources, production: true, EmbeddedAgent.Open)));
            }
        }
        string? note = includeDoctor ? null : "live checks of this machine were left out; add them with --include-doctor";
        return new UpgradeRehearsal(sections, Steps(backup), note, sections.Sum(section => section.Checks.Count(row => row.Status == "FAIL")));
    }

    private static IEnumerable<Check> DatabaseChecks(string source, string backup)
    {
        yield return File.Exists(source)
            ? new("database.source", CheckStatus.Pass, source)
            : new("database.source", CheckStatus.Fail, $"there is no database {source}", "name it by --database, or run this where the server's data is");
        if (File.Exists(source))
            yield return Integrity(source);
        string folder = Path.GetDirectoryName(backup)!;
        yield return Directory.Exists(folder)
            ? new("backup.directory", CheckStatus.Pass, folder)
            : new("backup.directory", CheckStatus.Fail, $"{folder} is not there", "make it, or name another place by --backup-output");
        yield return Path.Exists(backup)
            ? new("backup.output", CheckStatus.Fail, $"{backup} exists already", "name another file by --backup-output")
            : new("backup.output", CheckStatus.Pass, backup);
    }

    private static Check Integrity(string source)
    {
        try
        {
            return new("database.integrity", CheckStatus.Pass, $"whole, schema {DatabaseInspection.Of(source).Version}");
        }
        catch (StacyVMException fault)
        {
            return new("database.integrity", CheckStatus.Fail, fault.Message, "restore a backup before the upgrade: stacyvm db restore <backup> --yes");
        }
    }

    private static Check Migrations(string source, string folder, DateTime now)
    {
        const string name = "database.migrations";
        try
        {
            MigrationRehearsal done = MigrationRehearsal.Run(source, folder, now);
            return new(name, CheckStatus.Pass, done.From == done.To
                ? $"a copy opens with schema {done.To}; there is nothing to apply"
                : $"a copy went from schema {done.From} to {done.To} in {GoDuration.Format(TimeSpan.FromMilliseconds(Math.Ceiling(done.Took.TotalMilliseconds)))} and is whole");
        }
        catch (StacyVMException fault)
        {
            return new(name, CheckStatus.Fail, fault.Message, "do not upgrade; report it with a support bundle");
        }
    }

    private static string Default(string source, DateTime now) =>
        Path.Combine(Path.GetDirectoryName(source)!, string.Create(CultureInfo.InvariantCulture, $"stacyvm-upgrade-{now:yyyyMMdd'T'HHmmss'Z'}.db"));

    private static string[] Steps(string backup) =>
    [
        "Stop the server: systemctl stop stacyvm. Sandboxes live on.",
        $"Back up the database: stacyvm db backup {(backup.Length == 0 ? "<file>" : backup)}, and keep the file secret-key of the data directory in another place.",
        "Put the new binary in the place of the old one, and keep the old one.",
        "Check with the new binary: stacyvm config lint --production, stacyvm doctor --production.",
        "Start the server: systemctl start stacyvm. It applies the migrations and finds its sandboxes again.",
        "Check: stacyvm list, stacyvm providers. To go back: stop, put the old binary back, stacyvm db restore <backup> --yes, start.",
    ];
}
