using Microsoft.Win32.SafeHandles;
using StacyVM.Protocol.Problems;
using StacyVM.Sdk;

namespace StacyVM.Cli.Terminal;

/// <summary>This program's stdin, fed to a command in a sandbox.</summary>
internal static class StandardInput
{
    /// <summary>
    /// Feeds until the end of stdin or of the session. A thread of its own: a read from a terminal cannot be cancelled, and a background
    /// thread does not keep the program alive.
    /// </summary>
    public static void FeedTo(ExecSession session)
    {
        var thread = new Thread(() => Feed(session)) { IsBackground = true, Name = "stdin" };
        thread.Start();
    }

    /// <summary>Stdin as it is: the console class would edit lines of a terminal by itself.</summary>
    public static Stream Open() => new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    private static void Feed(ExecSession session)
    {
        byte[] buffer = new byte[32 * 1024];
        try
        {
            using Stream input = Open();
            int read;
            while ((read = input.Read(buffer)) > 0)
                session.WriteAsync(buffer.AsMemory(0, read)).AsTask().GetAwaiter().GetResult();
            session.CloseInputAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (Exception fault) when (fault is StacyVMException or IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            // The session has ended; its reader says how.
        }
    }
}
