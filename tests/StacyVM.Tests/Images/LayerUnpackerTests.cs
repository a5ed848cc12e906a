using System.Formats.Tar;
using System.Text;
using StacyVM.Engine.Images.Layers;
using Xunit;

namespace StacyVM.Tests.Images;

/// <summary>Archives of strangers, honest and hostile. A canary beside the target must neither be read, changed nor joined by others.</summary>
public sealed class LayerUnpackerTests : IDisposable
{
    private readonly string _outside = Directory.CreateTempSubdirectory("stacyvm-unpack-").FullName;
    private readonly string _target;

    public LayerUnpackerTests()
    {
        _target = Directory.CreateDirectory(Path.Combine(_outside, "layer")).FullName;
        File.WriteAllText(Path.Combine(_outside, "canary"), "untouched");
    }

    public void Dispose() => Directory.Delete(_outside, recursive: true);

    [Fact]
    public async Task Files_directories_and_links_arrive_as_they_were()
    {
        byte[] tar = TarBuilder.Of(t => t
            .Directory("./", 0x1ED).Directory("bin/").File("bin/run", "#!/bin/sh\n", 0x1ED).Link("lib", "usr/lib").HardLink("bin/same", "bin/run")
            .Directory("tmp", 0x3FF).File("deep/down/file", "deep"));
        await UnpackAsync(tar);

        Assert.Equal("#!/bin/sh\n", Read("bin/same"));
        Assert.Equal("deep", Read("deep/down/file"));
        Assert.Equal("usr/lib", new FileInfo(Path.Combine(_target, "lib")).LinkTarget);
        Assert.Equal((UnixFileMode)0x1ED, File.GetUnixFileMode(Path.Combine(_target, "bin/run")));
        Assert.Equal((UnixFileMode)0x3FF, File.GetUnixFileMode(Path.Combine(_target, "tmp")));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(Convert.ToInt64("14000000000", 8)).UtcDateTime, File.GetLastWriteTimeUtc(Path.Combine(_target, "bin/run")));
    }

    [Fact]
    public async Task Archives_of_other_programs_are_read_too()
    {
        foreach (TarEntryFormat format in (IEnumerable<TarEntryFormat>)[TarEntryFormat.Pax, TarEntryFormat.Gnu, TarEntryFormat.Ustar])
        {
            string name = $"{format}/{new string('n', 90)}/{(format == TarEntryFormat.Ustar ? "short" : new string('m', 120))}";
            using var bytes = new MemoryStream();
            using (var writer = new TarWriter(bytes, format, leaveOpen: true))
                writer.WriteEntry(format switch
                {
                    TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream("pax ü"u8.ToArray()) },
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream("gnu ü"u8.ToArray()) },
                    _ => new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream("ustar ü"u8.ToArray()) },
                });
            await UnpackAsync(bytes.ToArray());
            Assert.Equal($"{format.ToString().ToLowerInvariant()} ü", Read(name));
        }
    }

    public static TheoryData<string, byte[]> Escapes => new()
    {
        { "a name that goes up", TarBuilder.Of(t => t.File("../canary", "owned")) },
        { "a name that goes up in the middle", TarBuilder.Of(t => t.Directory("a").File("a/../../canary", "owned")) },
        { "a pax name that goes up", TarBuilder.Of(t => t.Pax("path", "../canary").File("innocent", "owned")) },
        { "a global pax name that goes up", TarBuilder.Of(t => t.Pax("path", "../canary", 'g').File("innocent", "owned")) },
        { "a long name that goes up", TarBuilder.Of(t => t.Entry('L', "l", "", Encoding.UTF8.GetBytes("../canary\0"), 0).File("innocent", "owned")) },
        { "a hard link to the outside", TarBuilder.Of(t => t.HardLink("in", "../canary").File("in", "owned")) },
        { "a hard link through a link", TarBuilder.Of(t => t.Link("up", "..").HardLink("in", "up/canary")) },
        { "a pax hard link to the outside", TarBuilder.Of(t => t.Pax("linkpath", "../canary").HardLink("in", "x")) },
        { "a directory with content", TarBuilder.Of(t => t.Entry('5', "d", "", Encoding.UTF8.GetBytes("x"), 0x1ED)) },
        { "a sparse file", TarBuilder.Of(t => t.Entry('S', "s", "", [], 0x1A4)) },
        { "a pax sparse file", TarBuilder.Of(t => t.Pax("GNU.sparse.major", "1").File("s")) },
        { "a file of ten gigabytes", TarBuilder.Of(t => t.Entry('0', "big", "", [], 0x1A4, size: 7_999_999_999)) },
        { "a header of a gigabyte", TarBuilder.Of(t => t.Entry('x', "pax", "", [], 0x1A4, size: 1_000_000_000)) },
        { "a negative pax size", TarBuilder.Of(t => t.Pax("size", "-1").File("f")) },
        { "a white-out of what is above", TarBuilder.Of(t => t.File(".wh...", "")) },
        { "a white-out of nothing", TarBuilder.Of(t => t.File("a/.wh.", "")) },
        { "no archive", new byte[700] .Select((_, i) => (byte)(i * 7 + 1)).ToArray() },
        { "an archive cut short", TarBuilder.Of(t => t.File("f", new string('x', 2000)))[..1500] },
        { "a path a thousand deep", TarBuilder.Of(t => t.Pax("path", string.Join('/', Enumerable.Repeat("d", 1000))).File("f")) },
        { "a link that leads nowhere", TarBuilder.Of(t => t.Link("l", "")) },
    };

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task Hostile_archives_are_refused(string what, byte[] tar)
    {
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            try
            {
                await UnpackAsync(tar);
            }
            catch (Exception e) when (e is not (InvalidDataException or EndOfStreamException))
            {
                Assert.Fail($"{what}: {e}");
            }
        });
        OutsideIsUntouched();
    }

    public static TheoryData<string, byte[], string> Contained => new()
    {
        { "an absolute name", TarBuilder.Of(t => t.File("/etc/shadow", "inside")), "etc/shadow" },
        { "a file through a link out", TarBuilder.Of(t => t.Link("up", "../..").File("up/canary", "inside")), "canary" },
        { "a file through an absolute link", TarBuilder.Of(t => t.Directory("etc").Link("e", "/etc").File("e/canary", "inside")), "etc/canary" },
        { "a file in place of a link out", TarBuilder.Of(t => t.Link("canary", "../canary").File("canary", "inside")), "canary" },
        { "a file in place of a directory", TarBuilder.Of(t => t.File("d/x").File("d/y/z").File("d", "inside")), "d" },
        { "a directory in place of a file", TarBuilder.Of(t => t.File("d").Directory("d").File("d/x", "inside")), "d/x" },
        { "a name twice", TarBuilder.Of(t => t.File("f", "first").File("f", "inside")), "f" },
        { "names that differ in case", TarBuilder.Of(t => t.File("F", "other").File("f", "inside")), "f" },
        { "a hard link to a link", TarBuilder.Of(t => t.Link("l", "../canary").HardLink("h", "l").File("f", "inside")), "f" },
        { "an odd name", TarBuilder.Of(t => t.File("a\nb \\ *\u00e4", "inside")), "a\nb \\ *\u00e4" },
    };

    [Theory]
    [MemberData(nameof(Contained))]
    public async Task Odd_archives_stay_inside(string what, byte[] tar, string expected)
    {
        await UnpackAsync(tar);
        Assert.True(File.Exists(Path.Combine(_target, expected)), what);
        Assert.Equal("inside", Read(expected));
        OutsideIsUntouched();
    }

    [Fact]
    public async Task Devices_pipes_and_privileges_are_left_out()
    {
        byte[] tar = TarBuilder.Of(t => t
            .Entry('3', "dev/mem", "", [], 0x1B6).Entry('4', "dev/sda", "", [], 0x1B6).Entry('6', "pipe", "", [], 0x1B6)
            .File("su", "x", 0xFED).Pax("SCHILY.xattr.security.capability", "x").File("ping", "x", 0x1ED));
        await UnpackAsync(tar);

        Assert.False(File.Exists(Path.Combine(_target, "dev/mem")));
        Assert.False(File.Exists(Path.Combine(_target, "dev/sda")));
        Assert.False(File.Exists(Path.Combine(_target, "pipe")));
        Assert.Equal((UnixFileMode)0x1ED, File.GetUnixFileMode(Path.Combine(_target, "su")));
    }

    [Fact]
    public async Task White_outs_become_those_of_an_overlay()
    {
        await UnpackAsync(TarBuilder.Of(t => t.File("etc/.wh.passwd", "").Directory("var").File("var/.wh..wh..opq", "").File("var/new", "x")));

        FileAttributes hidden = File.GetAttributes(Path.Combine(_target, "etc/passwd"));
        Assert.True(hidden.HasFlag(FileAttributes.Device) || !hidden.HasFlag(FileAttributes.Directory));
        Assert.False(File.Exists(Path.Combine(_target, "etc/.wh.passwd")));
        Assert.False(File.Exists(Path.Combine(_target, "var/.wh..wh..opq")));
        Assert.True(File.Exists(Path.Combine(_target, "var/new")));
    }

    [Fact]
    public async Task Limits_end_an_archive_that_grows()
    {
        byte[] many = TarBuilder.Of(t =>
        {
            for (int i = 0; i < 50; i++)
                t.File($"f{i}");
        });
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(many, new UnpackLimits(1_000, 10)));
        byte[] large = TarBuilder.Of(t => t.File("f", new string('x', 5_000)));
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(large, new UnpackLimits(1_000)));
    }

    private async Task UnpackAsync(byte[] tar, UnpackLimits? limits = null) =>
        await new LayerUnpacker(limits ?? new UnpackLimits(1_000_000)).UnpackAsync(new MemoryStream(tar), _target, TestContext.Current.CancellationToken);

    private string Read(string name) => File.ReadAllText(Path.Combine(_target, name));

    private void OutsideIsUntouched()
    {
        Assert.Equal("untouched", File.ReadAllText(Path.Combine(_outside, "canary")));
        Assert.Equal(["canary", "layer"], Directory.EnumerateFileSystemEntries(_outside).Select(Path.GetFileName).Order());
    }
}
