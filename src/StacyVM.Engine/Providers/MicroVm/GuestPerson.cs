using System.Security.Cryptography;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Images;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>Tells a machine that nobody is yet, or that is a copy of another, which sandbox it is.</summary>
internal static class GuestPerson
{
    private const int EntropyBytes = 64;

    /// <summary>Who commands of an image are, and the files of <c>/etc</c> that say so inside.</summary>
    public static (GuestProfile Profile, IReadOnlyList<KeyValuePair<string, string>> Files) Of(StoredImage image, IReadOnlyList<string> layers)
    {
        var files = new ImageFileReader(layers);
        ImageUser user = ImageUser.Of(image, files);
        var surroundings = new ImageSurroundings(image, files, user);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["LANG"] = "C.UTF-8",
            ["TERM"] = "xterm-256color",
        };
        foreach ((string name, string value) in surroundings.Environment)
            environment[name] = value;
        var profile = new GuestProfile(user.Id, user.Group, surroundings.WorkingDirectory, environment);
        return (profile, [new("passwd", user.Passwd(files, surroundings.Home, ImageSurroundings.Shell)), new("group", user.Groups(files)), new("resolv.conf", "")]);
    }

    /// <summary>Names, secret, clock and randomness of its own, before any command runs.</summary>
    public static async Task TellAsync(
        MachineFolder folder, PortLink link, AgentConnection connection, MachineState state, IReadOnlyList<KeyValuePair<string, string>> files, int processes, CancellationToken cancellation)
    {
        string id = folder.Id;
        var identity = new IdentityRequest
        {
            SandboxId = id,
            Token = state.Token,
            MachineId = RandomNumberGenerator.GetHexString(32, lowercase: true),
            Entropy = RandomNumberGenerator.GetBytes(EntropyBytes),
            UnixMicroseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            User = state.Guest.User,
            Group = state.Guest.Group,
            WorkingDirectory = state.Guest.WorkingDirectory,
            Environment = [.. state.Guest.Environment],
            Files = [.. files, new("hosts", $"127.0.0.1 localhost {id}\n::1 localhost ip6-localhost {id}\n")],
            Processes = (uint)processes,
            MemoryBytes = (ulong)state.MemoryMb << 20,
        };
        RecordWriter request = AgentRequest.Begin(ChannelKind.Identity);
        identity.Write(request);
        await new AgentOperations(id, link).FinishAsync(connection.Open(request), "identity", cancellation).ConfigureAwait(false);
        link.Token = state.Token;
    }

    /// <summary>Commands stand still, or go on.</summary>
    public static async Task HoldAsync(string id, PortLink link, bool hold, CancellationToken cancellation)
    {
        AgentConnection connection = await link.GetAsync(cancellation).ConfigureAwait(false);
        RecordWriter request = AgentRequest.Begin(ChannelKind.Hold);
        new HoldRequest(hold).Write(request);
        await new AgentOperations(id, link).FinishAsync(connection.Open(request), "commands", cancellation).ConfigureAwait(false);
    }
}
