using System.Text;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>The kernel that machines run, with the modules that belong to it: those of a distribution's package, unchanged.</summary>
/// <param name="Path">The compressed image.</param>
/// <param name="Version">As in its name.</param>
/// <param name="Modules">Directory of its modules.</param>
internal sealed record GuestKernel(string Path, string Version, string Modules)
{
    private const string Prefix = "vmlinuz-";
    private const string HowToGet = "install Debian's package linux-image-cloud-amd64, or unpack it anywhere (apt-get download, dpkg-deb -x) and set providers.qemu.kernel_path to its boot/vmlinuz-…";

    /// <summary>What a machine needs of it, each after what it needs itself; what is built in is not there as a file.</summary>
    private static readonly string[] Wanted = ["virtio_pci", "virtio_blk", "virtio_console", "erofs", "overlay"];

    /// <param name="configured">A path, or empty: those installed are looked through, the smallest kind first.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, saying how to get one.</exception>
    public static GuestKernel Find(string configured)
    {
        if (configured.Length > 0)
            return Of(configured) ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"providers.qemu.kernel_path: {configured} is no kernel with its modules beside it (…/boot/vmlinuz-VERSION and …/lib/modules/VERSION); {HowToGet}");
        IEnumerable<string> installed = Directory.Exists("/boot") ? Directory.EnumerateFiles("/boot", Prefix + "*") : [];
        return installed.OrderByDescending(path => path.Contains("cloud", StringComparison.Ordinal)).ThenByDescending(path => path, StringComparer.Ordinal).Select(Of).FirstOrDefault(kernel => kernel is not null)
            ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"there is no guest kernel in /boot; {HowToGet}");
    }

    /// <summary>Files of the wanted modules in the order in which they have to be loaded.</summary>
    public IReadOnlyList<string> ModuleFiles()
    {
        Dictionary<string, string> all = [];
        foreach (string file in Directory.EnumerateFiles(Modules, "*.ko", SearchOption.AllDirectories))
            all[Normal(System.IO.Path.GetFileNameWithoutExtension(file))] = file;
        List<string> ordered = [];
        foreach (string name in Wanted)
            Add(name);
        return ordered;

        void Add(string name)
        {
            // One that is not there is built in: the machine itself will say so when it is not.
            if (!all.TryGetValue(name, out string? file) || ordered.Contains(file))
                return;
            foreach (string needed in Dependencies(File.ReadAllBytes(file)))
                Add(Normal(needed));
            ordered.Add(file);
        }
    }

    /// <summary>Names in the line <c>depends=</c> of a module's own description.</summary>
    internal static IReadOnlyList<string> Dependencies(ReadOnlySpan<byte> module)
    {
        int at = module.IndexOf("\0depends="u8);
        if (at < 0)
            return [];
        ReadOnlySpan<byte> line = module[(at + "\0depends="u8.Length)..];
        return Encoding.ASCII.GetString(line[..line.IndexOf((byte)0)]).Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    private static GuestKernel? Of(string path)
    {
        string name = System.IO.Path.GetFileName(path);
        if (!File.Exists(path) || !name.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        string version = name[Prefix.Length..];
        string root = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, ".."));
        string modules = System.IO.Path.Combine(root, "lib", "modules", version, "kernel");
        return Directory.Exists(modules) ? new GuestKernel(System.IO.Path.GetFullPath(path), version, modules) : null;
    }

    /// <summary>The kernel takes both characters for the same in the names of modules.</summary>
    private static string Normal(string name) => name.Replace('-', '_');
}
