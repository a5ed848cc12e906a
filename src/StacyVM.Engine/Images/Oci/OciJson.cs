using System.Text.Json;
using System.Text.Json.Serialization;
using StacyVM.Engine.Images.Archives;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Oci;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(OciConfig))]
[JsonSerializable(typeof(List<DockerArchiveEntry>))]
[JsonSerializable(typeof(CatalogFile))]
internal sealed partial class OciJson : JsonSerializerContext
{
    /// <summary>Documents of images come from strangers: a larger one is refused before it is read.</summary>
    public const int MaxDocumentBytes = 4 * 1024 * 1024;

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>, naming the document.</exception>
    public static OciManifest ReadManifest(byte[] json, string what) => Read(json, Default.OciManifest, what);

    /// <inheritdoc cref="ReadManifest"/>
    public static OciConfig ReadConfig(byte[] json, string what) => Read(json, Default.OciConfig, what);

    /// <inheritdoc cref="ReadManifest"/>
    public static List<DockerArchiveEntry> ReadArchiveEntries(byte[] json, string what) => Read(json, Default.ListDockerArchiveEntry, what);

    private static T Read<T>(byte[] json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("it is null");
        }
        catch (JsonException cause)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"{what} is not what an image has there: {cause.Message}", cause);
        }
    }
}
