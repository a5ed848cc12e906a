using System.Text.Json.Serialization;
using StacyVM.Cli.Bench;
using StacyVM.Cli.Bench.Levels;
using StacyVM.Cli.Copy;
using StacyVM.Cli.Operations;

namespace StacyVM.Cli.Output;

/// <summary>JSON of results that only the command line has, in the style of the wire.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CopyResult))]
[JsonSerializable(typeof(BenchReport))]
[JsonSerializable(typeof(LevelsReport))]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(ShownConfiguration))]
[JsonSerializable(typeof(BackupResult))]
[JsonSerializable(typeof(RestoreResult))]
[JsonSerializable(typeof(UpgradeRehearsal))]
[JsonSerializable(typeof(SetupResult))]
[JsonSerializable(typeof(UninstallResult))]
internal sealed partial class CliJson : JsonSerializerContext;
