using System.Text.Json.Serialization;
using StacyVM.Cli.Copy;

namespace StacyVM.Cli.Output;

/// <summary>JSON of results that only the command line has, in the style of the wire.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CopyResult))]
internal sealed partial class CliJson : JsonSerializerContext;
