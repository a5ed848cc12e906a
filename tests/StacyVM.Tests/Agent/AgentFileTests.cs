using System.Diagnostics;
using System.Text;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentFileTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(262_144)]
    [InlineData(5_000_001)]
    public void What_is_written_is_read(int size)
    {
        byte[] content = new byte[size];
        new Random(size).NextBytes(content);
        ClosedMessage written = _agent.Client.Write("a/b/c.bin", content);
        Assert.Equal(AgentStatus.Ok, written.Status);
        var result = new RecordReader(written.Body);
        Assert.Equal(size, WriteFileResult.Read(ref result).Bytes);
        AgentChannel read = _agent.Client.Read("a/b/c.bin");
        Assert.Equal(AgentStatus.Ok, read.Closed.Status);
        Assert.Equal(content, read.Output);
        var reader = new RecordReader(read.Reply);
        FileEntry entry = FileEntry.Read(ref reader);
        Assert.Equal((_agent.PathOf("a/b/c.bin"), FileKind.File, (long)size, 0x1A4u), (entry.Path, entry.Kind, entry.Size, entry.Mode));
    }

    [Fact]
    public void A_part_of_a_file_can_be_read()
    {
        _agent.Client.Write("f", "0123456789");
        Assert.Equal("345", Text(_agent.Client.Read("f", 3, 3)));
        Assert.Equal("89", Text(_agent.Client.Read("f", 8)));
        Assert.Equal("", Text(_agent.Client.Read("f", 100)));
        Assert.Equal("", Text(_agent.Client.Read("f", 0, 0)));
        Assert.Equal(AgentStatus.InvalidArgument, _agent.Client.Read("f", -1).Closed.Status);
    }

    [Fact]
    public void A_sparse_file_is_read_as_zeros()
    {
        using (FileStream file = File.Create(_agent.PathOf("sparse")))
            file.SetLength(3_000_000);
        AgentChannel read = _agent.Client.Read("sparse");
        Assert.Equal(AgentStatus.Ok, read.Closed.Status);
        Assert.Equal(3_000_000, read.Output.Length);
        Assert.DoesNotContain(read.Output, b => b != 0);
    }

    [Fact]
    public void Files_that_the_kernel_makes_up_are_read_whole()
    {
        Assert.Contains("processor", Text(_agent.Client.Read("/proc/cpuinfo")), StringComparison.Ordinal);
        AgentChannel zeros = _agent.Client.Read("/dev/zero", 0, 600_000);
        Assert.Equal(AgentStatus.Ok, zeros.Closed.Status);
        Assert.Equal(600_000, zeros.Output.Length);
    }

    [Fact]
    public void A_slow_reader_of_a_file_holds_up_no_one()
    {
        _agent.Client.Write("big", new byte[8 << 20]);
        AgentChannel slow = _agent.Client.Open(ChannelKind.ReadFile, new ReadFileRequest("big", 0, long.MaxValue).Write, takesOutput: false);
        slow.WaitForOutput(AgentProtocol.InitialWindow);
        for (int i = 0; i < 10; i++)
            Assert.Equal(8 << 20, _agent.Client.Read("big") is var read && read.Closed.Status == AgentStatus.Ok ? read.Output.Length : 0);
        Assert.Equal(AgentProtocol.InitialWindow, slow.Output.Length);
        slow.TakeOutput();
        Assert.Equal(AgentStatus.Ok, slow.Closed.Status);
        Assert.Equal(8 << 20, slow.Output.Length);
    }

    [Fact]
    public void A_write_keeps_the_mode_or_sets_it()
    {
        _agent.Client.Write("f", "1"u8, mode: 0x1C0);
        Assert.Equal(0x1C0, (int)File.GetUnixFileMode(_agent.PathOf("f")));
        _agent.Client.Write("f", "2");
        Assert.Equal(0x1C0, (int)File.GetUnixFileMode(_agent.PathOf("f")));
        _agent.Client.Write("f", "3"u8, mode: 0x9ED);
        Assert.Equal(0x9ED, (int)File.GetUnixFileMode(_agent.PathOf("f")));
        Assert.Equal(AgentStatus.InvalidArgument, _agent.Client.Write("f", "4"u8, mode: 0x10000).Status);
    }

    [Fact]
    public void An_append_adds_to_the_end()
    {
        Assert.Equal(AgentStatus.Ok, _agent.Client.Write("log", "one"u8, append: true).Status);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Write("log", "two"u8, append: true).Status);
        Assert.Equal("onetwo", File.ReadAllText(_agent.PathOf("log")));
    }

    [Fact]
    public void A_link_is_followed_and_stays()
    {
        Directory.CreateDirectory(_agent.PathOf("real"));
        File.WriteAllText(_agent.PathOf("real/target"), "old");
        File.CreateSymbolicLink(_agent.PathOf("one"), "real/target");
        File.CreateSymbolicLink(_agent.PathOf("two"), _agent.PathOf("one"));
        File.CreateSymbolicLink(_agent.PathOf("dangling"), "real/new");
        Assert.Equal(AgentStatus.Ok, _agent.Client.Write("two", "new").Status);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Write("dangling", "made").Status);
        Assert.Equal("new", File.ReadAllText(_agent.PathOf("real/target")));
        Assert.Equal("made", File.ReadAllText(_agent.PathOf("real/new")));
        Assert.NotNull(new FileInfo(_agent.PathOf("two")).LinkTarget);
        Assert.Equal("new", Text(_agent.Client.Read("two")));
        File.CreateSymbolicLink(_agent.PathOf("loop"), "loop");
        Assert.Equal(AgentStatus.InvalidPath, _agent.Client.Write("loop", "x").Status);
        Assert.Equal(AgentStatus.InvalidPath, _agent.Client.Read("loop").Closed.Status);
    }

    [Fact]
    public void A_file_appears_whole_or_not_at_all()
    {
        _agent.Client.Write("f", "old");
        AgentChannel write = _agent.Client.Open(ChannelKind.WriteFile, new WriteFileRequest("f", WriteFileRequest.KeepMode, false).Write);
        write.SendAll(new byte[3 << 20]);
        Assert.Equal("old", File.ReadAllText(_agent.PathOf("f")));
        write.Cancel();
        Assert.Equal(AgentStatus.Cancelled, write.Closed.Status);
        Assert.Equal("old", File.ReadAllText(_agent.PathOf("f")));
        Assert.Equal([_agent.PathOf("f")], Directory.GetFileSystemEntries(_agent.Directory));
    }

    [Fact]
    public void A_write_whose_host_is_lost_leaves_nothing()
    {
        AgentChannel write = _agent.Client.Open(ChannelKind.WriteFile, new WriteFileRequest("f", WriteFileRequest.KeepMode, false).Write);
        write.SendAll(new byte[3 << 20]);
        Eventually.True(() => Directory.GetFileSystemEntries(_agent.Directory).Length == 1, "a draft");
        _agent.Client.Dispose();
        Eventually.True(() => Directory.GetFileSystemEntries(_agent.Directory).Length == 0, "an empty directory");
        _agent.Accept();
    }

    [Fact]
    public void Devices_are_written_and_pipes_never_hang()
    {
        Assert.Equal(AgentStatus.Ok, _agent.Client.Write("/dev/null", new byte[100_000]).Status);
        Assert.Equal(FileKind.Other, Stat("/dev/null").Kind);
        Run("mkfifo", _agent.PathOf("fifo"));
        Assert.Equal(AgentStatus.InvalidArgument, _agent.Client.Read("fifo").Closed.Status);
        Assert.Equal(AgentStatus.IoError, _agent.Client.Write("fifo", "x").Status);
        AgentChannel reader = _agent.Client.Shell("cat fifo");
        Assert.True(reader.Started.Pid > 0);
        Eventually.True(() => _agent.Client.Write("fifo", "through the pipe").Status == AgentStatus.Ok, "a reader of the pipe");
        Assert.Equal(0, reader.Exit.ExitCode);
        Assert.Equal("through the pipe", reader.OutputText);
    }

    [Fact]
    public void Every_failure_has_its_own_status()
    {
        Directory.CreateDirectory(_agent.PathOf("full/inner"));
        File.WriteAllText(_agent.PathOf("file"), "");
        string longName = new('x', 300);
        string longPath = string.Concat(Enumerable.Repeat("/" + new string('y', 200), 25));
        AgentClient c = _agent.Client;
        (AgentStatus Expected, ClosedMessage Actual)[] cases =
        [
            (AgentStatus.NotFound, c.Read("missing").Closed),
            (AgentStatus.NotFound, c.Call(ChannelKind.Stat, new PathRequest("missing").Write)),
            (AgentStatus.NotFound, c.Call(ChannelKind.Delete, new DeleteRequest("missing", true).Write)),
            (AgentStatus.NotFound, c.Call(ChannelKind.Move, new MoveRequest("missing", "other").Write)),
            (AgentStatus.NotFound, c.Call(ChannelKind.Chmod, new ChmodRequest("missing", 0x1ff).Write)),
            (AgentStatus.NotFound, c.Call(ChannelKind.List, new PathRequest("missing").Write)),
            (AgentStatus.NotFound, c.Call(ChannelKind.Watch, new WatchRequest("missing", false).Write)),
            (AgentStatus.IsDirectory, c.Read("full").Closed),
            (AgentStatus.IsDirectory, c.Write("full", "x")),
            (AgentStatus.IsDirectory, c.Write("new/", "x")),
            (AgentStatus.NotDirectory, c.Call(ChannelKind.List, new PathRequest("file").Write)),
            (AgentStatus.NotDirectory, c.Read("file/x").Closed),
            (AgentStatus.NotDirectory, c.Write("file/x", "x")),
            (AgentStatus.NotDirectory, c.Call(ChannelKind.MakeDirectory, new MakeDirectoryRequest("file/x", 0x1ff).Write)),
            (AgentStatus.NotDirectory, c.Call(ChannelKind.Watch, new WatchRequest("file", false).Write)),
            (AgentStatus.NotEmpty, c.Call(ChannelKind.Delete, new DeleteRequest("full", false).Write)),
            (AgentStatus.AlreadyExists, c.Call(ChannelKind.Move, new MoveRequest("file", "full").Write)),
            (AgentStatus.InvalidArgument, c.Call(ChannelKind.Move, new MoveRequest("full", "full/inner/below").Write)),
            (AgentStatus.InvalidArgument, c.Read("a\0b").Closed),
            (AgentStatus.InvalidArgument, c.Read("").Closed),
            (AgentStatus.InvalidArgument, c.Call(ChannelKind.Delete, new DeleteRequest("/", true).Write)),
            (AgentStatus.InvalidArgument, c.Call(ChannelKind.Glob, new GlobRequest("[abc", 0).Write)),
            (AgentStatus.InvalidPath, c.Read(longName).Closed),
            (AgentStatus.InvalidPath, c.Read(longPath).Closed),
            (AgentStatus.Unsupported, c.Call((ChannelKind)200)),
        ];
        for (int i = 0; i < cases.Length; i++)
            Assert.True(cases[i].Expected == cases[i].Actual.Status, $"case {i}: {cases[i].Expected} expected, got {cases[i].Actual.Status}: {cases[i].Actual.Message}");
        Assert.All(cases, x => Assert.NotEmpty(x.Actual.Message));
    }

    [Fact]
    public void Entries_are_listed_by_name_and_links_as_themselves()
    {
        Directory.CreateDirectory(_agent.PathOf("d/sub"));
        File.WriteAllText(_agent.PathOf("d/b.txt"), "12345");
        File.CreateSymbolicLink(_agent.PathOf("d/a-link"), "/nowhere");
        File.WriteAllText(_agent.PathOf("d/.hidden"), "");
        List<FileEntry> entries = List("d");
        Assert.Equal([".hidden", "a-link", "b.txt", "sub"], entries.Select(e => Path.GetFileName(e.Path)));
        Assert.Equal([FileKind.File, FileKind.SymbolicLink, FileKind.File, FileKind.Directory], entries.Select(e => e.Kind));
        Assert.Equal(5, entries[2].Size);
        Assert.Equal(_agent.PathOf("d/b.txt"), entries[2].Path);
    }

    [Fact]
    public void Ten_thousand_entries_are_listed()
    {
        Directory.CreateDirectory(_agent.PathOf("many"));
        for (int i = 0; i < 10_000; i++)
            File.Create(_agent.PathOf($"many/{i:d5}-with-a-rather-long-name-to-need-more-than-one-window-of-credit")).Dispose();
        List<FileEntry> entries = List("many");
        Assert.Equal(10_000, entries.Count);
        Assert.EndsWith("/00000-with-a-rather-long-name-to-need-more-than-one-window-of-credit", entries[0].Path, StringComparison.Ordinal);
        Assert.Equal(entries.OrderBy(e => e.Path, StringComparer.Ordinal), entries);
    }

    [Fact]
    public void Names_that_are_no_text_do_no_harm()
    {
        Run("bash", "-c", $"cd {_agent.Directory} && touch $'bad\\xff\\xfename' && mkdir $'dir\\xff' && touch $'dir\\xff/x'");
        Assert.Equal(2, List(".").Count);
        Assert.Contains(List("."), e => e.Path.Contains('\uFFFD', StringComparison.Ordinal));
        // By its bytes, such a file can be named all the same.
        byte[] name = [.. Encoding.UTF8.GetBytes(_agent.PathOf("bad")), 0xff, 0xfe, .. "name"u8];
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Stat, w => w.Blob(name)).Status);
        foreach (string path in Directory.GetFileSystemEntries(_agent.Directory))
            Assert.NotEmpty(path);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Delete, new DeleteRequest(_agent.Directory, true).Write).Status);
        Directory.CreateDirectory(_agent.Directory);
    }

    [Fact]
    public void Deleting_a_tree_never_follows_a_link()
    {
        Directory.CreateDirectory(Path.Combine(_agent.Root, "outside"));
        File.WriteAllText(Path.Combine(_agent.Root, "outside/canary"), "alive");
        Directory.CreateDirectory(_agent.PathOf("tree/a/b/c"));
        File.CreateSymbolicLink(_agent.PathOf("tree/a/link"), Path.Combine(_agent.Root, "outside"));
        File.CreateSymbolicLink(_agent.PathOf("link"), Path.Combine(_agent.Root, "outside"));
        Assert.Equal(AgentStatus.Ok, Delete("link"));
        Assert.Equal(AgentStatus.Ok, Delete("tree"));
        Assert.False(Directory.Exists(_agent.PathOf("tree")));
        Assert.Equal("alive", File.ReadAllText(Path.Combine(_agent.Root, "outside/canary")));
    }

    [Fact]
    public void A_very_deep_tree_is_deleted()
    {
        Run("perl", "-e", $"chdir '{_agent.Directory}'; mkdir 'deep'; chdir 'deep'; for (1..3000) {{ mkdir 'dd'; chdir 'dd' or die; }}");
        Assert.Equal(AgentStatus.Ok, Delete("deep"));
        Assert.Empty(Directory.GetFileSystemEntries(_agent.Directory));
    }

    [Fact]
    public void A_move_makes_parents_and_replaces_files()
    {
        File.WriteAllText(_agent.PathOf("from"), "new");
        File.WriteAllText(_agent.PathOf("to"), "old");
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Move, new MoveRequest("from", "to").Write).Status);
        Assert.Equal("new", File.ReadAllText(_agent.PathOf("to")));
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Move, new MoveRequest("to", "x/y/z").Write).Status);
        Assert.Equal("new", File.ReadAllText(_agent.PathOf("x/y/z")));
    }

    [Fact]
    public void A_move_crosses_file_systems()
    {
        string other = Directory.CreateTempSubdirectory("agent-move-").FullName;
        string memory = "/dev/shm/" + Path.GetFileName(other);
        Directory.CreateDirectory(_agent.PathOf("tree/sub"));
        File.WriteAllText(_agent.PathOf("tree/sub/f"), "content");
        File.SetUnixFileMode(_agent.PathOf("tree/sub/f"), (UnixFileMode)0x1C9);
        File.CreateSymbolicLink(_agent.PathOf("tree/link"), "sub/f");
        try
        {
            ClosedMessage moved = _agent.Client.Call(ChannelKind.Move, new MoveRequest("tree", memory + "/tree").Write);
            Assert.Equal((AgentStatus.Ok, ""), (moved.Status, moved.Message));
            Assert.False(Directory.Exists(_agent.PathOf("tree")));
            Assert.Equal("content", File.ReadAllText(memory + "/tree/link"));
            Assert.Equal(0x1C9, (int)File.GetUnixFileMode(memory + "/tree/sub/f"));
            Assert.Equal("sub/f", new FileInfo(memory + "/tree/link").LinkTarget);
            Assert.Single(Directory.GetFileSystemEntries(memory));
        }
        finally
        {
            Directory.Delete(other);
            Directory.Delete(memory, true);
        }
    }

    [Fact]
    public void Directories_and_modes_are_made_as_asked()
    {
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.MakeDirectory, new MakeDirectoryRequest("p/q/r", 0x1FF).Write).Status);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.MakeDirectory, new MakeDirectoryRequest("p/q/r", 0x1C0).Write).Status);
        Assert.Equal(0x1FF, (int)File.GetUnixFileMode(_agent.PathOf("p/q/r")));
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Chmod, new ChmodRequest("p/q/r", 0x1C0).Write).Status);
        Assert.Equal(0x1C0u, Stat("p/q/r").Mode);
        Assert.Equal(FileKind.Directory, Stat("p/q/r").Kind);
    }

    private AgentStatus Delete(string path) => _agent.Client.Call(ChannelKind.Delete, new DeleteRequest(path, true).Write).Status;

    private FileEntry Stat(string path)
    {
        ClosedMessage closed = _agent.Client.Call(ChannelKind.Stat, new PathRequest(path).Write);
        Assert.Equal(AgentStatus.Ok, closed.Status);
        var reader = new RecordReader(closed.Body);
        return FileEntry.Read(ref reader);
    }

    private List<FileEntry> List(string path)
    {
        AgentChannel channel = _agent.Client.Open(ChannelKind.List, new PathRequest(path).Write);
        Assert.Equal(AgentStatus.Ok, channel.Closed.Status);
        var entries = new List<FileEntry>();
        var reader = new RecordReader(channel.Output);
        while (!reader.AtEnd)
            entries.Add(FileEntry.Read(ref reader));
        return entries;
    }

    private static string Text(AgentChannel channel)
    {
        Assert.Equal(AgentStatus.Ok, channel.Closed.Status);
        return channel.OutputText;
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
