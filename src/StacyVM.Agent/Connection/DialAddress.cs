using System.Text;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

internal enum DialKind
{
    Unix,
    StandardStreams,
    Vsock,
    Serial,
}

/// <summary>Where the host is, as <see cref="AgentProtocol.DialVariable"/> says it.</summary>
internal sealed record DialAddress(DialKind Kind, LinuxPath Path, uint Cid, uint Port)
{
    internal static DialAddress Parse(string text)
    {
        if (text == "stdio:")
            return new DialAddress(DialKind.StandardStreams, default, 0, 0);
        if (text.StartsWith("unix:/", StringComparison.Ordinal))
            return new DialAddress(DialKind.Unix, LinuxPath.Of(Encoding.UTF8.GetBytes(text[5..])), 0, 0);
        if (text.StartsWith("serial:/", StringComparison.Ordinal))
            return new DialAddress(DialKind.Serial, LinuxPath.Of(Encoding.UTF8.GetBytes(text[7..])), 0, 0);
        string[] parts = text.Split(':');
        if (parts.Length == 3 && parts[0] == "vsock" && uint.TryParse(parts[1], out uint cid) && uint.TryParse(parts[2], out uint port))
            return new DialAddress(DialKind.Vsock, default, cid, port);
        throw new OperationFailure(
            AgentStatus.InvalidArgument,
            AgentProtocol.DialVariable + " must be unix:/path, stdio:, vsock:CID:PORT or serial:/dev/…, not \"" + text + "\"");
    }
}
