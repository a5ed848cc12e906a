using System.Text;
using System.Text.Json;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>What the handle of a sandbox holds.</summary>
/// <param name="Remote">Its id at the backend.</param>
/// <param name="Image">As it was asked for.</param>
internal sealed record CustomState(string Remote, string Image)
{
    private const int Version = 1;

    public SandboxHandle ToHandle() => new(Version, Encoding.UTF8.GetString(RemoteJson.Write(json =>
    {
        json.WriteString("remote", Remote);
        json.WriteString("image", Image);
    })));

    public static CustomState Parse(string id, SandboxHandle handle)
    {
        try
        {
            using var document = JsonDocument.Parse(handle.State);
            if (handle.Version == Version && document.RootElement.Text("remote") is { Length: > 0 } remote)
                return new CustomState(remote, document.RootElement.Text("image") ?? "");
        }
        catch (JsonException)
        {
            // As one without an id.
        }
        throw new StacyVMException(ProblemKind.Internal, $"sandbox {id}: its handle of version {handle.Version} cannot be read");
    }
}
