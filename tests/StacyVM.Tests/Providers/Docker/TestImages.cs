using System.Diagnostics;
using System.Formats.Tar;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>Images made on the spot from the host's static busybox: no registry is asked.</summary>
internal static class TestImages
{
    /// <summary>A small system with a shell.</summary>
    public const string Busybox = "stacyvm-test/busybox:1";

    /// <summary>One static program and nothing else: no shell, no directories.</summary>
    public const string Bare = "stacyvm-test/bare:1";

    /// <summary>Tries everything an image can try against those who start it.</summary>
    public const string Hostile = "stacyvm-test/hostile:1";

    internal const UnixFileMode Program = (UnixFileMode)0b111_101_101;

    private static readonly string[] Applets = ListApplets();

    public static async Task ImportAllAsync(DockerClient client)
    {
        await ImportAsync(client, Busybox, ["ENV FROM_IMAGE=yes"], System);
        await ImportAsync(client, Bare, [], tar => tar.WriteEntry(File_("busybox", File.ReadAllBytes("/bin/busybox"), Program)));
        await ImportAsync(
            client,
            Hostile,
            ["ENTRYPOINT [\"/proc/self/exe\"]", "CMD [\"init\"]", "WORKDIR /proc/self/fd/7", "USER 0:0", "ENV PATH=/evil:/bin", "ENV LD_PRELOAD=/evil/library.so"],
            tar =>
            {
                System(tar);
                // Decompressors that a daemon might run, names that runtimes mount over, and a directory that ours must not follow.
                foreach (string name in new[] { "evil/unpigz", "evil/gzip", "evil/xz", "evil/zstd", "usr/bin/unpigz", "usr/bin/xz" })
                    tar.WriteEntry(File_(name, Encoding.ASCII.GetBytes("#!/bin/sh\necho ran >/tmp/decompressor-ran\nexec cat\n"), Program));
                tar.WriteEntry(Link("dev/null", "/canary"));
                tar.WriteEntry(Link("dev/console", "/canary"));
                tar.WriteEntry(File_("canary", "alive"u8.ToArray(), UnixFileMode.OtherRead | UnixFileMode.UserRead | UnixFileMode.UserWrite));
                tar.WriteEntry(Link("workspace", "/etc"));
                tar.WriteEntry(Link(".stacyvm", "/etc"));
            });
    }

    public static async Task ImportAsync(DockerClient client, string name, string[] changes, Action<TarWriter> content)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
            content(writer);
        tar.Position = 0;
        string[] parts = name.Split(':');
        await client.Images.CreateImageAsync(
            new ImagesCreateParameters { FromSrc = "-", Repo = parts[0], Tag = parts[1], Changes = changes }, tar, null!, new Progress<JSONMessage>());
    }

    /// <summary>The archive of the small system, for stores of our own.</summary>
    public static byte[] SystemArchive()
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
            System(writer);
        return tar.ToArray();
    }

    internal static void System(TarWriter tar)
    {
        foreach (string directory in new[] { "bin", "etc", "proc", "sys", "dev", "root", "usr", "usr/bin" })
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, directory + "/") { Mode = Program });
        tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "tmp/") { Mode = (UnixFileMode)0b1_111_111_111 });
        tar.WriteEntry(File_("bin/busybox", File.ReadAllBytes("/bin/busybox"), Program));
        foreach (string applet in Applets.Except(["busybox"]))
            tar.WriteEntry(Link("bin/" + applet, "busybox"));
        // The only usual tool that this busybox lacks.
        tar.WriteEntry(File_("bin/nohup", "#!/bin/sh\ntrap '' HUP\nexec \"$@\"\n"u8.ToArray(), Program));
        tar.WriteEntry(File_("etc/passwd", "root:x:0:0::/root:/bin/sh\n"u8.ToArray(), UnixFileMode.UserRead | UnixFileMode.OtherRead));
    }

    private static string[] ListApplets()
    {
        using var busybox = Process.Start(new ProcessStartInfo("/bin/busybox", "--list") { RedirectStandardOutput = true })!;
        return busybox.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    internal static PaxTarEntry File_(string name, byte[] content, UnixFileMode mode) =>
        new(TarEntryType.RegularFile, name) { Mode = mode, DataStream = new MemoryStream(content) };

    private static PaxTarEntry Link(string name, string target) =>
        new(TarEntryType.SymbolicLink, name) { LinkName = target };
}
