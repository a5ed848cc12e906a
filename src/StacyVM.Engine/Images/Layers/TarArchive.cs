using System.Text;

namespace StacyVM.Engine.Images.Layers;

/// <summary>
/// Reads a tar archive of a stranger, one entry after another, in constant memory: POSIX ustar and pax, GNU long names and large numbers.
/// What the format leaves open is refused rather than guessed. Source: POSIX.1-2017 pax, and GNU tar's manual for its extensions.
/// </summary>
/// <exception cref="InvalidDataException">Every member, for what is no archive or not a safe one.</exception>
internal sealed class TarArchive(Stream source)
{
    private const int Block = 512;
    private const int MaxExtension = 1024 * 1024;
    private const int MaxPath = 4096;
    private const int MaxDepth = 512;

    private readonly byte[] _header = new byte[Block];
    private readonly Dictionary<string, string> _global = [];
    private long _left;
    private long _padding;

    /// <summary>The next entry; what is left of the one before is passed over.</summary>
    /// <returns>Null at the end.</returns>
    public async ValueTask<TarEntry?> NextAsync(CancellationToken cancellation)
    {
        string? longName = null, longTarget = null;
        Dictionary<string, string>? extended = null;
        while (true)
        {
            await SkipAsync(_left + _padding, cancellation).ConfigureAwait(false);
            (_left, _padding) = (0, 0);
            if (!await ReadHeaderAsync(cancellation).ConfigureAwait(false))
                return null;
            char type = (char)_header[156];
            long size = Number(124, 12);
            switch (type)
            {
                case 'L':
                    longName = await TextAsync(size, cancellation).ConfigureAwait(false);
                    continue;
                case 'K':
                    longTarget = await TextAsync(size, cancellation).ConfigureAwait(false);
                    continue;
                case 'x':
                    extended = Records(await ExtensionAsync(size, cancellation).ConfigureAwait(false), []);
                    continue;
                case 'g':
                    Records(await ExtensionAsync(size, cancellation).ConfigureAwait(false), _global);
                    continue;
                default:
                    return Entry(type, size, longName, longTarget, extended);
            }
        }
    }

    /// <summary>Content of the entry; 0 at its end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        if (_left == 0)
            return 0;
        int count = await source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellation).ConfigureAwait(false);
        if (count == 0)
            throw new InvalidDataException("the archive ends in the middle of a file");
        _left -= count;
        return count;
    }

    /// <summary>Passes over everything that is left of the source: what follows the archive counts in its digest.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        byte[] buffer = new byte[64 * 1024];
        while (await source.ReadAsync(buffer, cancellation).ConfigureAwait(false) > 0)
        {
        }
    }

    private TarEntry Entry(char type, long size, string? longName, string? longTarget, Dictionary<string, string>? extended)
    {
        string name = Extended("path") ?? longName ?? HeaderName();
        string target = Extended("linkpath") ?? longTarget ?? Text(157, 100);
        if (Extended("size") is { } text && (!long.TryParse(text, out size) || size < 0))
            throw new InvalidDataException($"{Shown(name)} has a size that is none");
        if (Extended("GNU.sparse.major") is not null || Extended("GNU.sparse.map") is not null || type == 'S')
            throw new InvalidDataException($"{Shown(name)} is stored as a sparse file, which images are not");
        TarKind kind = type switch
        {
            '0' or '\0' or '7' => name.EndsWith('/') ? TarKind.Directory : TarKind.File,
            '1' => TarKind.HardLink,
            '2' => TarKind.SymbolicLink,
            '5' => TarKind.Directory,
            _ => TarKind.Other,
        };
        // Only files have content; a link with a size is how archives are made that one reader takes apart otherwise than another.
        if (kind is TarKind.HardLink or TarKind.SymbolicLink or TarKind.Directory && size != 0)
            throw new InvalidDataException($"{Shown(name)} is no file and has content");
        _left = size;
        _padding = (Block - size % Block) % Block;
        string path = Safe(name);
        if (kind == TarKind.HardLink)
            target = Safe(target);
        else if (kind == TarKind.SymbolicLink && (target.Length is 0 or > MaxPath))
            throw new InvalidDataException($"link {Shown(name)} leads nowhere");
        long changed = Extended("mtime") is { } time && double.TryParse(time, System.Globalization.CultureInfo.InvariantCulture, out double seconds)
            ? (long)Math.Clamp(seconds, 0, uint.MaxValue)
            : Math.Clamp(Number(136, 12), 0, uint.MaxValue);
        return new TarEntry(kind, path, target, (uint)(Number(100, 8) & 0xFFF), size, changed);

        string? Extended(string key) => extended?.GetValueOrDefault(key) ?? _global.GetValueOrDefault(key);
    }

    /// <summary>The name below the root: a leading slash counts for nothing, a part that goes up is an attack.</summary>
    private static string Safe(string name)
    {
        if (name.Length > MaxPath || name.Contains('\0'))
            throw new InvalidDataException($"{Shown(name)} is no path");
        List<string> parts = [];
        foreach (string part in name.Split('/'))
        {
            if (part is "" or ".")
                continue;
            if (part == "..")
                throw new InvalidDataException($"{Shown(name)} leads out of the image");
            parts.Add(part);
        }
        return parts.Count <= MaxDepth ? string.Join('/', parts) : throw new InvalidDataException($"{Shown(name)} is nested too deeply");
    }

    /// <returns>False at the end: two blocks of zeroes, or the end of the source.</returns>
    private async ValueTask<bool> ReadHeaderAsync(CancellationToken cancellation)
    {
        for (int zeroes = 0; zeroes < 2; zeroes++)
        {
            int count = await source.ReadAtLeastAsync(_header, Block, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            if (count == 0)
                return false;
            if (count < Block)
                throw new InvalidDataException("the archive ends in the middle of a header");
            if (!_header.AsSpan().ContainsAnyExcept((byte)0))
                continue;
            CheckSum();
            return true;
        }
        return false;
    }

    private void CheckSum()
    {
        long sum = 0;
        for (int i = 0; i < Block; i++)
            sum += i is >= 148 and < 156 ? ' ' : _header[i];
        if (sum != Number(148, 8))
            throw new InvalidDataException("it is not a tar archive, or a damaged one");
    }

    private string HeaderName()
    {
        string name = Text(0, 100);
        bool ustar = _header.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        return ustar && Text(345, 155) is { Length: > 0 } prefix ? $"{prefix}/{name}" : name;
    }

    private string Text(int offset, int length)
    {
        Span<byte> field = _header.AsSpan(offset, length);
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private long Number(int offset, int length)
    {
        Span<byte> field = _header.AsSpan(offset, length);
        if ((field[0] & 0x80) != 0)
        {
            // GNU: a big-endian number where octal digits have no room.
            long large = field[0] & 0x3F;
            foreach (byte part in field[1..])
                large = large > long.MaxValue >> 8 ? throw new InvalidDataException("a number of the archive is too large") : large << 8 | part;
            return (field[0] & 0x40) != 0 ? 0 : large;
        }
        long value = 0;
        foreach (byte digit in field)
        {
            if (digit is (byte)' ' or 0)
                continue;
            if (digit is < (byte)'0' or > (byte)'7')
                throw new InvalidDataException("it is not a tar archive, or a damaged one");
            value = value * 8 + digit - '0';
        }
        return value;
    }

    private async ValueTask<string> TextAsync(long size, CancellationToken cancellation) =>
        Encoding.UTF8.GetString(await ExtensionAsync(size, cancellation).ConfigureAwait(false)).TrimEnd('\0');

    private async ValueTask<byte[]> ExtensionAsync(long size, CancellationToken cancellation)
    {
        if (size is < 0 or > MaxExtension)
            throw new InvalidDataException($"a header of {size} bytes is none of an image");
        byte[] content = new byte[size];
        await source.ReadExactlyAsync(content, cancellation).ConfigureAwait(false);
        await SkipAsync((Block - size % Block) % Block, cancellation).ConfigureAwait(false);
        return content;
    }

    /// <summary>pax records: "length key=value\n", the length counting itself.</summary>
    private static Dictionary<string, string> Records(byte[] content, Dictionary<string, string> into)
    {
        ReadOnlySpan<byte> left = content;
        while (!left.IsEmpty && left[0] != 0)
        {
            int space = left.IndexOf((byte)' ');
            if (space <= 0 || !int.TryParse(left[..space], out int length) || length <= space + 1 || length > left.Length || left[length - 1] != (byte)'\n')
                throw new InvalidDataException("a pax header of the archive is damaged");
            ReadOnlySpan<byte> record = left[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                throw new InvalidDataException("a pax header of the archive is damaged");
            into[Encoding.UTF8.GetString(record[..equals])] = Encoding.UTF8.GetString(record[(equals + 1)..]);
            left = left[length..];
        }
        return into;
    }

    private async ValueTask SkipAsync(long count, CancellationToken cancellation)
    {
        if (count == 0)
            return;
        byte[] buffer = new byte[(int)Math.Min(count, 64 * 1024)];
        while (count > 0)
        {
            int read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellation).ConfigureAwait(false);
            if (read == 0)
                throw new InvalidDataException("the archive ends in the middle of a file");
            count -= read;
        }
    }

    private static string Shown(string name)
    {
        string start = name.Length > 100 ? name[..100] + "…" : name;
        return '"' + string.Concat(start.Select(c => char.IsControl(c) ? '?' : c)) + '"';
    }
}
