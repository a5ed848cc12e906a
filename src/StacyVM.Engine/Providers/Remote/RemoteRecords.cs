using System.Text.Json;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol;

namespace StacyVM.Engine.Providers.Remote;

/// <summary>
/// What is written down here of sandboxes that live at a service which cannot be asked for a list of ours: one small file in the directory of
/// each, before it is asked for and until it is gone.
/// </summary>
internal sealed class RemoteRecords(AgentHost host, string provider)
{
    private const string Marker = "remote.json";

    /// <summary>Null when there is none, or it is another provider's.</summary>
    public RemoteRecord? Read(string id)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(host.SandboxDirectory(id), Marker)));
            JsonElement root = document.RootElement;
            return root.Text("provider") == provider
                ? new RemoteRecord(root.Text("remote") ?? "", root.Text("image") ?? "", DateTimeOffset.FromUnixTimeSeconds(root.Moment("created_at")).UtcDateTime)
                : null;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Appears whole or not at all.</summary>
    public void Write(string id, RemoteRecord record)
    {
        string directory = host.SandboxDirectory(id);
        AgentHost.MakePassage(directory);
        string draft = Path.Combine(directory, Marker + ".draft");
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            file.Write(RemoteJson.Write(json =>
            {
                json.WriteString("provider", provider);
                json.WriteString("remote", record.Remote);
                json.WriteString("image", record.Image);
                json.WriteString("created_at", record.CreatedAt);
            }));
        }
        File.Move(draft, Path.Combine(directory, Marker), overwrite: true);
    }

    public void Remove(string id) => TreeRemoval.Remove(host.SandboxDirectory(id));

    public IReadOnlyList<(string Id, RemoteRecord Record)> All()
    {
        string sandboxes = Path.Combine(host.DataDirectory, "sandboxes");
        if (!Directory.Exists(sandboxes))
            return [];
        return [.. from path in Directory.EnumerateDirectories(sandboxes)
                   let id = Path.GetFileName(path)
                   where SandboxId.IsSafe(id)
                   let record = Read(id)
                   where record is not null
                   select (id, record)];
    }
}

/// <param name="Remote">Its id at the service; empty while that is not known.</param>
/// <param name="Image">As it was asked for.</param>
/// <param name="CreatedAt">UTC.</param>
internal sealed record RemoteRecord(string Remote, string Image, DateTime CreatedAt);
