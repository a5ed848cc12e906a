using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>Payloads of Open frames, written into a buffer that each thread keeps.</summary>
internal static class AgentRequest
{
    private const int KeptCapacity = 16 * 1024;

    [ThreadStatic]
    private static RecordWriter? _kept;

    /// <summary>A writer that begins with the kind. Valid until the same thread begins the next; not across an await.</summary>
    public static RecordWriter Begin(ChannelKind kind)
    {
        RecordWriter? writer = _kept;
        if (writer is null || writer.Length > KeptCapacity)
            _kept = writer = new RecordWriter();
        writer.Clear();
        writer.Byte((byte)kind);
        return writer;
    }

    public static RecordWriter Path(ChannelKind kind, string path)
    {
        RecordWriter writer = Begin(kind);
        new PathRequest(path).Write(writer);
        return writer;
    }
}
