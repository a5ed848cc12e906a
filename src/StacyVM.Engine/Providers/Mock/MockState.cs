using System.Text;
using System.Text.Json;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>What is written down of a sandbox: beside it on disk before anything is started, and in its handle.</summary>
/// <param name="Token">The agent's secret.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="Process">Its agent; none before it was started. Start times mean nothing in another boot.</param>
/// <param name="BootId">The boot in which it was started.</param>
internal sealed record MockState(string Token, DateTime CreatedAt, ProcessIdentity Process, string BootId)
{
    public const int Version = 1;

    public bool IsAlive => BootId == ProcessIdentity.BootId && Process.IsAlive;

    public SandboxHandle ToHandle() => new(Version, Encoding.UTF8.GetString(ToJson()));

    public byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("token", Token);
            json.WriteString("created_at", CreatedAt);
            json.WriteNumber("pid", Process.Pid);
            json.WriteNumber("start_ticks", Process.StartTicks);
            json.WriteString("boot_id", BootId);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>Null for what cannot be read: half written by a server that died.</summary>
    public static MockState? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            return new MockState(
                root.GetProperty("token").GetString() ?? "",
                root.GetProperty("created_at").GetDateTime(),
                new ProcessIdentity(root.GetProperty("pid").GetInt32(), root.GetProperty("start_ticks").GetUInt64()),
                root.GetProperty("boot_id").GetString() ?? "");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
