using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Serve;
using StacyVM.Engine.Checks;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Operations;

/// <summary>Writes the configuration of a new installation.</summary>
internal static class SetupRun
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static Task<IReadOnlyList<Level>> ProbeAsync()
    {
        EmbeddedAgent.Require();
        return LevelProbe.RunAsync(new StacyOptions { DataDir = "" }, EmbeddedAgent.Open, NullLoggerFactory.Instance);
    }

    /// <summary>1 what the file is to be, 2 whether it loads, 3 keep the one that is there, 4 write, 5 the shells.</summary>
    /// <param name="sources">For the checks, and the home directory.</param>
    /// <param name="file">The configuration file, absolute.</param>
    /// <param name="choice">What was chosen.</param>
    /// <param name="time">For the name of the backup.</param>
    public static SetupResult Write(ConfigurationSources sources, string file, SetupChoice choice, TimeProvider time)
    {
        string draft = $"{file}.{Environment.ProcessId}.partial";
        try
        {
            // 1.
            string before = File.Exists(file) ? File.ReadAllText(file) : "";
            string wanted = ConfigurationFileEdit.Set(before, choice.Keys());
            string? backup = null;
            if (wanted != before)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!, OwnerOnly | UnixFileMode.UserExecute);
                using (var writer = new StreamWriter(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
                    writer.Write(wanted);
                // 2.
                ConfigurationLoader.Load(sources with { ConfigPath = draft });
                // 3.
                if (File.Exists(file))
                {
                    backup = string.Create(CultureInfo.InvariantCulture, $"{file}.bak-{time.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}");
                    File.Copy(file, backup, overwrite: false);
                    File.SetUnixFileMode(backup, OwnerOnly);
                }
                // 4.
                File.Move(draft, file, overwrite: true);
            }
            // 5.
            IReadOnlyList<string> shells = choice.Completion && sources.HomeDirectory is { } home ? ShellBlocks.Install(home) : [];
            return new SetupResult(file, wanted != before, backup, shells);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"{file} cannot be written: {fault.Message}", fault);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
