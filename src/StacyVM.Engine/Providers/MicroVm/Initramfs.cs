using System.Globalization;
using System.Text;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>
/// The file system that a kernel begins with: our agent as its first program, and modules. An archive in the kernel's own format, "newc" of cpio,
/// documented in its <c>buffer-format.rst</c>; no privilege and no tool is needed to write it.
/// </summary>
internal sealed class Initramfs
{
    private const uint Directory = 0x4000 | 0x1ED, Program = 0x8000 | 0x1ED, Plain = 0x8000 | 0x1A4;

    private readonly MemoryStream _archive = new();
    private int _number;

    /// <summary>All of it: small, and the same for every machine with this kernel and this agent.</summary>
    public static byte[] Build(byte[] agent, GuestKernel kernel)
    {
        var files = new Initramfs();
        files.Add("modules", Directory, []);
        files.Add("init", Program, agent);
        IReadOnlyList<string> modules = kernel.ModuleFiles();
        foreach (string module in modules)
            files.Add("modules/" + Path.GetFileName(module), Plain, File.ReadAllBytes(module));
        files.Add("modules/order", Plain, Encoding.ASCII.GetBytes(string.Concat(modules.Select(module => Path.GetFileName(module) + "\n"))));
        files.Add("TRAILER!!!", 0, []);
        return files._archive.ToArray();
    }

    private void Add(string name, uint mode, byte[] content)
    {
        string header = string.Create(CultureInfo.InvariantCulture,
            $"070701{++_number:x8}{mode:x8}{0:x8}{0:x8}{1:x8}{0:x8}{content.Length:x8}{0:x8}{0:x8}{0:x8}{0:x8}{name.Length + 1:x8}{0:x8}{name}\0");
        _archive.Write(Encoding.ASCII.GetBytes(header));
        Align();
        _archive.Write(content);
        Align();
    }

    private void Align()
    {
        while (_archive.Length % 4 != 0)
            _archive.WriteByte(0);
    }
}
