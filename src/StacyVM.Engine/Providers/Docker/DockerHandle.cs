using System.Text.Json;
using System.Text.Json.Serialization;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// What finds a container again. The agent's token is not in it: the daemon keeps it in the container's environment, and recovery asks the
/// daemon anyway, so that the database holds no secret of a sandbox.
/// </summary>
/// <param name="Container">The daemon's id, which no later container of the same name has.</param>
/// <param name="Image">As it was asked for.</param>
/// <param name="Route">How its agent is reached.</param>
internal sealed record DockerHandle(string Container, string Image, AgentRoute Route)
{
    private const int Version = 1;

    public SandboxHandle Seal() => new(Version, JsonSerializer.Serialize(this, DockerJson.Default.DockerHandle));

    /// <returns>Null for a handle that this build cannot read.</returns>
    public static DockerHandle? Open(SandboxHandle handle)
    {
        if (handle.Version != Version)
            return null;
        try
        {
            return JsonSerializer.Deserialize(handle.State, DockerJson.Default.DockerHandle);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>How the agent inside a container is reached.</summary>
internal enum AgentRoute
{
    /// <summary>The daemon sees our files: the agent and its socket directory are bound into the container, and the agent dials us.</summary>
    Socket,

    /// <summary>The daemon is elsewhere: the agent is uploaded, and we speak to it over the standard streams of an exec.</summary>
    Exec,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(DockerHandle))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class DockerJson : JsonSerializerContext;
