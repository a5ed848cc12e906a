using System.Text.Json.Serialization;
using StacyVM.Cli.Bench;
using StacyVM.Cli.Copy;

namespace StacyVM.Cli.Output;

/// <summary>JSON of results that only the command line has, in the style of the wire.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CopyResult))]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class CliJson : JsonSerializerContext;
