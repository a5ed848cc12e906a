using System.Text;
using System.Text.Json;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Registry;

/// <summary>
/// User and password of registries, from a file in the form of Docker's <c>config.json</c> (<c>auths</c>), read anew for each pull, so that a
/// changed password needs no restart. Credential helpers, which are programs, are not run.
/// </summary>
/// <param name="file">Empty for none.</param>
internal sealed class RegistryCredentials(string file)
{
    private const string HubEntry = "https://index.docker.io/v1/";

    /// <summary>Value for a Basic authorization; null when there is none for that registry.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/> when the file cannot be read.</exception>
    public string? For(string registry)
    {
        if (file.Length == 0)
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            if (!document.RootElement.TryGetProperty("auths", out JsonElement auths) || auths.ValueKind != JsonValueKind.Object)
                return null;
            foreach (JsonProperty entry in auths.EnumerateObject())
            {
                if (Host(entry.Name) == registry || (registry == ImageReference.DockerHub && entry.Name == HubEntry))
                    return Value(entry.Value);
            }
            return null;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new StacyVMException(ProblemKind.Unavailable, $"the credentials of registries, images.auth_file {file}, cannot be read: {cause.Message}", cause);
        }
    }

    private static string Host(string name) => name.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(name, UriKind.Absolute, out Uri? address) ? address.Authority : name.Split('/')[0];

    private static string? Value(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
            return null;
        if (Text("auth") is { Length: > 0 } ready)
            return ready;
        return Text("username") is { Length: > 0 } user ? Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Text("password")}")) : null;

        string? Text(string name) => entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
