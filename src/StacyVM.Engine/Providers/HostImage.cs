using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers;

/// <summary>
/// The image <c>host</c>: the programs and libraries of this machine, read-only, and an <c>/etc</c> made for sandboxes. Nothing else of the
/// machine is in it: no home, no <c>/var</c>, no secret of <c>/etc</c>.
/// </summary>
internal static class HostImage
{
    public const string Name = "host";

    private static readonly string[] Roots = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

    /// <summary>
    /// What is taken over from the host's <c>/etc</c>: configuration of libraries and languages, trusted certificates. Files that not
    /// everyone may read are left out wherever they lie.
    /// </summary>
    private static readonly string[] Taken =
    [
        "ssl/certs", "ssl/openssl.cnf", "ca-certificates", "ca-certificates.conf", "pki/tls/certs", "pki/tls/cert.pem", "pki/tls/openssl.cnf",
        "pki/ca-trust/extracted", "crypto-policies", "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld-musl-x86_64.path",
        "localtime", "timezone", "mime.types", "magic", "magic.mime", "protocols", "services", "rpc", "os-release", "debian_version",
        "lsb-release", "redhat-release", "alpine-release", "python*", "perl", "java*", "dotnet", "fonts", "terminfo", "inputrc",
        "locale.alias", "locale.conf", "xattr.conf", "R", "ImageMagick*",
    ];

    /// <summary>Directories of programs and libraries: what is a link on the host (<c>/bin → usr/bin</c>) is a link inside, too.</summary>
    public static IEnumerable<HostDirectory> Directories()
    {
        yield return new HostDirectory("/usr", null);
        foreach (string root in Roots)
        {
            var directory = new DirectoryInfo("/" + root);
            if (directory.Exists)
                yield return new HostDirectory(directory.FullName, directory.LinkTarget);
        }
    }

    /// <summary>
    /// Makes the <c>/etc</c> below a directory, under a name that changes with its content: running sandboxes keep the one they began with. On a
    /// full disk the newest of an earlier start does: what runs has to be found and removed all the same.
    /// </summary>
    /// <param name="parent">Where it is made.</param>
    /// <param name="ownUsers">Each sandbox has users of its own, as a file beside its socket.</param>
    /// <returns>Its path.</returns>
    public static string MakeEtc(string parent, bool ownUsers)
    {
        string draft = Path.Combine(parent, ".etc-" + RandomNumberGenerator.GetHexString(8, lowercase: true));
        try
        {
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            MakeDirectory(draft);
            foreach (string entry in Taken.SelectMany(Expand).Order(StringComparer.Ordinal))
                Copy("/etc", entry, draft, digest);
            foreach ((string name, string content) in Written())
                Write(Path.Combine(draft, name), name, content, digest);
            foreach (string name in (string[])["hosts", "hostname", .. ownUsers ? ["passwd", "group"] : Array.Empty<string>()])
                Link(draft, name, "/run/stacyvm/" + name, digest);
            if (!ownUsers)
            {
                Write(Path.Combine(draft, "passwd"), "passwd", Users(SandboxUser), digest);
                Write(Path.Combine(draft, "group"), "group", Groups(SandboxUser), digest);
            }
            Link(draft, "mtab", "/proc/self/mounts", digest);

            string final = Path.Combine(parent, "etc-" + Convert.ToHexStringLower(digest.GetHashAndReset().AsSpan(0, 8)));
            if (!Directory.Exists(final) && Libc.Rename(draft, final) != 0 && !Directory.Exists(final))
                throw new IOException($"cannot rename {draft}: {Libc.LastError()}");
            return final;
        }
        catch (IOException full) when (full.HResult is Libc.ENOSPC or Libc.EDQUOT && Newest(parent, ownUsers) is not null)
        {
            return Newest(parent, ownUsers)!;
        }
        finally
        {
            TreeRemoval.Remove(draft);
        }
    }

    /// <summary>User and group that a sandbox with a user namespace sees itself as.</summary>
    public const uint SandboxUser = 1000;

    public static string Shell { get; } = File.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";

    /// <summary>The text of <c>/etc/passwd</c>.</summary>
    public static string Users(uint user) =>
        $"root:x:0:0:root:/root:/bin/sh\nsandbox:x:{user}:{user}:sandbox:/workspace:{Shell}\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";

    /// <summary>The text of <c>/etc/group</c>.</summary>
    public static string Groups(uint user) => $"root:x:0:\nsandbox:x:{user}:\nnogroup:x:65534:\n";

    private static string? Newest(string parent, bool ownUsers) => new DirectoryInfo(parent).EnumerateDirectories("etc-*")
        .Where(etc => (new FileInfo(Path.Combine(etc.FullName, "passwd")).LinkTarget is not null) == ownUsers)
        .MaxBy(etc => etc.LastWriteTimeUtc)?.FullName;

    private static IEnumerable<(string Name, string Content)> Written()
    {
        yield return ("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\nrpc: files\n");
        yield return ("resolv.conf", "");
        yield return ("shells", "/bin/sh\n/bin/bash\n");
        yield return ("profile", "PS1='\\u@\\h:\\w\\$ '\n");
    }

    private static IEnumerable<string> Expand(string pattern)
    {
        if (!pattern.EndsWith('*'))
            return [pattern];
        return Directory.Exists("/etc") ? Directory.EnumerateFileSystemEntries("/etc", pattern).Select(path => Path.GetFileName(path)) : [];
    }

    private static void Copy(string from, string entry, string to, IncrementalHash digest)
    {
        string source = Path.Combine(from, entry), target = Path.Combine(to, entry);
        FileSystemInfo info = Directory.Exists(source) ? new DirectoryInfo(source) : new FileInfo(source);
        if (info.LinkTarget is { } link)
        {
            MakeParents(to, entry);
            File.CreateSymbolicLink(target, link);
            Note(digest, entry + "\0" + link);
            return;
        }
        if (!info.Exists || (info.UnixFileMode & UnixFileMode.OtherRead) == 0)
            return;
        if (info is DirectoryInfo directory)
        {
            MakeParents(to, Path.Combine(entry, "x"));
            foreach (FileSystemInfo child in directory.EnumerateFileSystemInfos().OrderBy(child => child.Name, StringComparer.Ordinal))
                Copy(from, Path.Combine(entry, child.Name), to, digest);
            return;
        }
        // A named pipe would be waited for, a device read without end.
        if ((info.Attributes & (FileAttributes.Device | FileAttributes.System)) != 0 || ((FileInfo)info).Length > 64 * 1024 * 1024)
            return;
        MakeParents(to, entry);
        File.Copy(source, target);
        SetMode(target, (info.UnixFileMode & UnixFileMode.UserExecute) != 0 ? 0x1EDu : 0x1A4u);
        Note(digest, string.Create(CultureInfo.InvariantCulture, $"{entry}\0{((FileInfo)info).Length}\0{info.LastWriteTimeUtc.Ticks}"));
    }

    private static void Write(string path, string name, string content, IncrementalHash digest)
    {
        File.WriteAllText(path, content);
        SetMode(path, 0x1A4);
        Note(digest, name + "\0" + content);
    }

    private static void Link(string directory, string name, string target, IncrementalHash digest)
    {
        File.CreateSymbolicLink(Path.Combine(directory, name), target);
        Note(digest, name + "\0" + target);
    }

    private static void MakeParents(string top, string entry)
    {
        string path = top;
        foreach (string part in Path.GetDirectoryName(entry)!.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            path = Path.Combine(path, part);
            if (!Directory.Exists(path))
                MakeDirectory(path);
        }
    }

    private static void MakeDirectory(string path)
    {
        Directory.CreateDirectory(path);
        SetMode(path, 0x1ED);
    }

    private static void SetMode(string path, uint mode)
    {
        if (Libc.ChangeMode(path, mode) != 0)
            throw new IOException($"cannot change the mode of {path}: {Libc.LastError()}");
    }

    private static void Note(IncrementalHash digest, string line) => digest.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
}

/// <param name="Path">Where it is, on the host and inside.</param>
/// <param name="LinkTarget">Where it leads, when it is a link.</param>
internal sealed record HostDirectory(string Path, string? LinkTarget);
