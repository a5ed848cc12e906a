using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Unix sockets bound by directory descriptor. A socket address holds 108 bytes, a data directory may be longer: the address names the directory through
/// <c>/proc/self/fd</c> instead. The runtime's own <see cref="Socket.Bind"/> would also delete that name when the socket closes, when the
/// descriptor's number may long belong to another directory.
/// </summary>
internal static partial class UnixListener
{
    private const int AfUnix = 1;
    private const int SockStream = 1;
    private const int SockCloexec = 0x80000;
    private const int SolSocket = 1;
    private const int SoPeercred = 17;
    private const int OPath = 0x200000;
    private const int ODirectory = 0x10000;
    private const int ONofollow = 0x20000;
    private const int OCloexec = 0x80000;
    private const int Enoent = 2;

    /// <summary>Listens on <c>directory/name</c>, replacing a stale socket of that name. The directory must not be a link.</summary>
    /// <param name="directory">Must exist.</param>
    /// <param name="name">File name of the socket.</param>
    /// <param name="owner">Host user that alone may connect; null: whoever can reach the path.</param>
    /// <param name="backlog">Peers that the kernel holds until they are accepted.</param>
    public static Socket Bind(string directory, string name, uint? owner, int backlog)
    {
        using var folder = new SafeFileHandle(Check(OpenPath(directory, OPath | ODirectory | ONofollow | OCloexec), "open", directory), ownsHandle: true);
        string path = $"/proc/self/fd/{folder.DangerousGetHandle()}/{name}";
        if (Unlink(path) != 0 && Marshal.GetLastPInvokeError() != Enoent)
            throw Failure("unlink", $"{directory}/{name}");
        var handle = new SafeSocketHandle(Check(CreateSocket(AfUnix, SockStream | SockCloexec, 0), "socket", directory), ownsHandle: true);
        try
        {
            byte[] address = new byte[2 + Encoding.UTF8.GetByteCount(path) + 1];
            address[0] = AfUnix;
            Encoding.UTF8.GetBytes(path, address.AsSpan(2));
            Check(BindSocket(handle, address, address.Length), "bind", $"{directory}/{name}");
            // Before listen: nobody has connected under other rights.
            if (owner is { } user)
                Check(Chown(path, user, uint.MaxValue), "chown", path);
            Check(Chmod(path, owner is null ? 0x1B6u : 0x180u), "chmod", path);
            Check(Listen(handle, backlog), "listen", $"{directory}/{name}");
            return new Socket(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Process id of the peer, as this process sees it: 0 when it lives in a namespace that cannot be seen.</summary>
    public static int PeerPid(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeercred, credentials);
        return MemoryMarshal.Read<int>(credentials);
    }

    private static int Check(int result, string call, string subject) => result >= 0 ? result : throw Failure(call, subject);

    private static IOException Failure(string call, string subject)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"{call} {subject}: {error.Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenPath(string path, int flags);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int CreateSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int BindSocket(SafeSocketHandle socket, byte[] address, int length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int Listen(SafeSocketHandle socket, int backlog);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chmod(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
