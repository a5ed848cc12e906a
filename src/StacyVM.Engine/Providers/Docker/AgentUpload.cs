using System.Formats.Tar;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// What is uploaded into a container before it starts. Always plain tar: for a compressed one the daemon may run a decompressor that the
/// image brought (CVE-2026-41567).
/// </summary>
internal static class AgentUpload
{
    private const UnixFileMode Executable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>The agent's program, to be unpacked in <see cref="ContainerSettings.Home"/>.</summary>
    public static async Task<Stream> ProgramAsync(string agentPath, CancellationToken cancellation)
    {
        var tar = new MemoryStream(capacity: 8 << 20);
        await using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            await using FileStream program = File.OpenRead(agentPath);
            await writer.WriteEntryAsync(
                new UstarTarEntry(TarEntryType.RegularFile, "agent") { Mode = Executable, DataStream = program }, cancellation).ConfigureAwait(false);
        }
        tar.Position = 0;
        return tar;
    }

    /// <summary>An empty workspace that belongs to the container's user, to be unpacked in the root.</summary>
    public static async Task<Stream> WorkspaceAsync(DockerUser user, CancellationToken cancellation)
    {
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            await writer.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.Directory, ContainerSettings.Workspace[1..] + "/") { Mode = Executable, Uid = (int)user.Uid, Gid = (int)user.Gid },
                cancellation).ConfigureAwait(false);
        }
        tar.Position = 0;
        return tar;
    }
}
