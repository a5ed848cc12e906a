using System.Text;

namespace StacyVM.Tests.Images;

/// <summary>Writes tar archives byte by byte, those that no honest program writes among them.</summary>
internal sealed class TarBuilder
{
    private readonly MemoryStream _bytes = new();

    public static byte[] Of(Action<TarBuilder> build)
    {
        var tar = new TarBuilder();
        build(tar);
        tar._bytes.Write(new byte[1024]);
        return tar._bytes.ToArray();
    }

    public TarBuilder File(string name, string content = "x", uint mode = 0x1A4) => Entry('0', name, "", Encoding.UTF8.GetBytes(content), mode);

    public TarBuilder Directory(string name, uint mode = 0x1ED) => Entry('5', name, "", [], mode);

    public TarBuilder Link(string name, string target) => Entry('2', name, target, [], 0x1FF);

    public TarBuilder HardLink(string name, string target) => Entry('1', name, target, [], 0x1A4);

    /// <summary>A pax header for the entry that follows.</summary>
    public TarBuilder Pax(string key, string value, char type = 'x')
    {
        int length = key.Length + Encoding.UTF8.GetByteCount(value) + 3;
        while ($"{length}".Length + key.Length + Encoding.UTF8.GetByteCount(value) + 3 > length)
            length++;
        return Entry(type, "pax", "", Encoding.UTF8.GetBytes($"{length} {key}={value}\n"), 0x1A4);
    }

    /// <summary>Any entry, its size as it is or as it pretends to be.</summary>
    public TarBuilder Entry(char type, string name, string target, byte[] content, uint mode, long? size = null)
    {
        byte[] header = new byte[512];
        Put(header, 0, 100, name);
        Put(header, 100, 8, Convert.ToString(mode, 8).PadLeft(7, '0'));
        Put(header, 108, 8, "0000000");
        Put(header, 116, 8, "0000000");
        Put(header, 124, 12, Convert.ToString(size ?? content.Length, 8).PadLeft(11, '0'));
        Put(header, 136, 12, "14000000000");
        header[156] = (byte)type;
        Put(header, 157, 100, target);
        Put(header, 257, 6, "ustar");
        Put(header, 263, 2, "00");
        Array.Fill(header, (byte)' ', 148, 8);
        int sum = header.Sum(value => value);
        Put(header, 148, 8, Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ");
        _bytes.Write(header);
        _bytes.Write(content);
        _bytes.Write(new byte[(512 - content.Length % 512) % 512]);
        return this;
    }

    private static void Put(byte[] header, int offset, int length, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        bytes.AsSpan(0, Math.Min(bytes.Length, length)).CopyTo(header.AsSpan(offset));
    }
}
