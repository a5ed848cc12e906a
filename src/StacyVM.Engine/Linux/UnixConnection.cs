using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>Connects to Unix sockets at paths of any length: an address has room for 108 bytes, so the directory is named by its descriptor.</summary>
internal static class UnixConnection
{
    /// <param name="directory">Not a link.</param>
    /// <param name="name">File name of the socket.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="IOException">Nobody listens there.</exception>
    public static async Task<NetworkStream> OpenAsync(string directory, string name, CancellationToken cancellation)
    {
        using SafeFileHandle folder = Libc.OpenDirectory(Libc.AT_FDCWD, directory, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
        if (folder.IsInvalid)
            throw new IOException($"cannot open {directory}: {Libc.LastError()}", Libc.Error);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(FormattableString.Invariant($"/proc/self/fd/{folder.DangerousGetHandle()}/{name}")), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception cause)
        {
            socket.Dispose();
            if (cause is SocketException refused)
                throw new IOException($"cannot connect to {directory}/{name}: {refused.Message}", refused);
            throw;
        }
    }
}
