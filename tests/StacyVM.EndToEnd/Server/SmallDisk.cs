using System.Diagnostics;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>A file system of a few megabytes, to be filled; it goes with its mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int Megabyte = 1024 * 1024;

    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    private string Filling => System.IO.Path.Combine(Path, "filling");

    /// <summary>Skips the calling test where nothing may be mounted.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        if (Environment.UserName != "root")
            Assert.Skip("mounting a small disk needs root");
        string path = Directory.CreateTempSubdirectory("stacyvm-disk-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0755", "tmpfs", path);
        return new SmallDisk(path);
    }

    /// <summary>Takes all the space there is, to the last block.</summary>
    public void Fill()
    {
        using var file = new FileStream(Filling, FileMode.Append, FileAccess.Write, FileShare.None, 0);
        byte[] piece = new byte[Megabyte];
        for (int size = piece.Length; size > 0;)
        {
            try
            {
                file.Write(piece, 0, size);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    public void Free() => File.Delete(Filling);

    public void Dispose()
    {
        Run("umount", "-l", Path);
        Directory.Delete(Path);
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {error}");
    }
}
