using System.Text;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(262_143)]
    [InlineData(3_000_001)]
    [InlineData(64 * 1024 * 1024)]
    public async Task A_file_comes_back_as_it_was_written(int size)
    {
        ISandbox sandbox = await CreateAsync();
        byte[] content = new byte[size];
        new Random(size).NextBytes(content);
        Assert.Equal(size, await sandbox.Files.WriteAsync("/workspace/new/dir/file", new MemoryStream(content), null, Stop));
        FileEntry entry = await sandbox.Files.StatAsync("/workspace/new/dir/file", Stop);
        Assert.Equal((FileKind.File, (long)size, 0x1A4u), (entry.Kind, entry.Size, entry.Mode));
        byte[] read = await ReadAsync(sandbox, "/workspace/new/dir/file");
        Assert.True(content.AsSpan().SequenceEqual(read));
        if (size > 100)
            Assert.Equal(content[50..80], await ReadAsync(sandbox, "/workspace/new/dir/file", 50, 30));
        Assert.Empty(await ReadAsync(sandbox, "/workspace/new/dir/file", size + 10L, 5));
    }

    [Fact]
    public async Task Odd_names_are_names()
    {
        ISandbox sandbox = await CreateAsync();
        string[] names = [" ", "a b", "-rf", "*", "?", "[x]", "'", "\"", "$HOME", "`id`", "line\nline", "\\", "ünïcödé 🦀", "..a", "a..", "#", "%2e%2e", new string('n', LongestName)];
        foreach (string name in names)
            await WriteAsync(sandbox, $"/workspace/odd/{name}", name);
        IReadOnlyList<FileEntry> listed = await sandbox.Files.ListAsync("/workspace/odd", Stop);
        Assert.Equal(names.Select(name => $"/workspace/odd/{name}").Order(StringComparer.Ordinal), listed.Select(entry => entry.Path).Order(StringComparer.Ordinal));
        foreach (string name in names)
            Assert.Equal(name, Encoding.UTF8.GetString(await ReadAsync(sandbox, $"/workspace/odd/{name}")));
    }

    [Fact]
    public async Task Links_are_followed_by_reading_and_never_by_deleting()
    {
        ISandbox sandbox = await CreateAsync();
        await WriteAsync(sandbox, "/workspace/target", "text");
        Assert.Equal(0, (await sandbox.ShellAsync("ln -s target link; ln -s nowhere dangling; ln -s loop loop", Stop)).Code);
        Assert.Equal("text", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/link")));
        Assert.Equal(FileKind.File, (await sandbox.Files.StatAsync("/workspace/link", Stop)).Kind);
        Assert.Equal(FileKind.SymbolicLink, (await sandbox.Files.ListAsync("/workspace", Stop)).Single(entry => entry.Path.EndsWith("/link", StringComparison.Ordinal)).Kind);
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, "/workspace/dangling"));
        await FailsAsync(ProblemKind.InvalidInput, () => ReadAsync(sandbox, "/workspace/loop"));

        await WriteAsync(sandbox, "/workspace/link", "through");
        Assert.Equal("through", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/target")));
        await sandbox.Files.DeleteAsync("/workspace/link", false, Stop);
        Assert.Equal("through", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/target")));
    }

    [Fact]
    public async Task Modes_are_set_kept_and_changed()
    {
        ISandbox sandbox = await CreateAsync();
        await WriteAsync(sandbox, "/workspace/tool", "#!/bin/sh\necho ran\n", 0x1C0);
        Assert.Equal(0x1C0u, (await sandbox.Files.StatAsync("/workspace/tool", Stop)).Mode);
        Assert.Equal("ran\n", (await sandbox.RunAsync(Stop, "./tool")).Output);
        await WriteAsync(sandbox, "/workspace/tool", "#!/bin/sh\necho again\n");
        Assert.Equal(0x1C0u, (await sandbox.Files.StatAsync("/workspace/tool", Stop)).Mode);
        await sandbox.Files.SetModeAsync("/workspace/tool", 0x1A4, Stop);
        Assert.Equal(126, (await sandbox.RunAsync(Stop, "./tool")).Code);
    }

    [Fact]
    public async Task A_sparse_file_is_as_long_as_it_says()
    {
        ISandbox sandbox = await CreateAsync();
        Assert.Equal(0, (await sandbox.ShellAsync("truncate -s 3G sparse && printf end >> sparse", Stop)).Code);
        Assert.Equal((3L << 30) + 3, (await sandbox.Files.StatAsync("/workspace/sparse", Stop)).Size);
        Assert.Equal("\0end", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/sparse", (3L << 30) - 1, 100)));
    }

    [Fact]
    public async Task Readers_see_one_writers_file_or_anothers_and_never_a_mixture()
    {
        ISandbox sandbox = await CreateAsync();
        await sandbox.Files.WriteAsync("/workspace/shared", new MemoryStream(new byte[500_000]), null, Stop);
        Task writers = Task.WhenAll(Enumerable.Range(1, 6).Select(async writer =>
        {
            byte[] content = new byte[500_000];
            Array.Fill(content, (byte)writer);
            for (int i = 0; i < 5; i++)
                await sandbox.Files.WriteAsync("/workspace/shared", new MemoryStream(content), null, Stop);
        }));
        do
        {
            byte[] seen = await ReadAsync(sandbox, "/workspace/shared");
            Assert.Equal(500_000, seen.Length);
            Assert.Equal(-1, seen.AsSpan().IndexOfAnyExcept(seen[0]));
        }
        while (!writers.IsCompleted);
        await writers;
        Assert.Single(await sandbox.Files.ListAsync("/workspace", Stop));
    }

    [Fact]
    public async Task An_abandoned_write_leaves_the_old_file_and_nothing_else()
    {
        ISandbox sandbox = await CreateAsync();
        await WriteAsync(sandbox, "/workspace/kept", "old");
        await Assert.ThrowsAsync<InvalidDataException>(() => sandbox.Files.WriteAsync("/workspace/kept", new BreakingStream(300_000), null, Stop));
        Assert.Equal("old", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/kept")));
        Assert.Single(await sandbox.Files.ListAsync("/workspace", Stop));
        await Assert.ThrowsAsync<InvalidDataException>(() => sandbox.Files.WriteAsync("/workspace/fresh", new BreakingStream(0), null, Stop));
        Assert.Single(await sandbox.Files.ListAsync("/workspace", Stop));
    }

    [Fact]
    public async Task A_read_that_is_let_go_in_the_middle_disturbs_nobody()
    {
        ISandbox sandbox = await CreateAsync();
        Assert.Equal(0, (await sandbox.ShellAsync("head -c 50000000 /dev/zero > big", Stop)).Code);
        for (int i = 0; i < 20; i++)
        {
            await using FileContent content = await sandbox.Files.OpenReadAsync("/workspace/big", 0, long.MaxValue, Stop);
            Assert.True(await content.Stream.ReadAsync(new byte[1000], Stop) > 0);
        }
        Assert.Equal(50_000_000, (await ReadAsync(sandbox, "/workspace/big")).Length);
    }

    [Fact]
    public async Task Each_failure_has_its_own_problem()
    {
        ISandbox sandbox = await CreateAsync();
        ISandboxFiles files = sandbox.Files;
        await WriteAsync(sandbox, "/workspace/file", "x");
        await WriteAsync(sandbox, "/workspace/full/inside", "x");

        StacyVMException missing = await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, "/workspace/missing"));
        Assert.Contains(sandbox.Id, missing.Message, StringComparison.Ordinal);
        Assert.Contains("/workspace/missing", missing.Message, StringComparison.Ordinal);
        await FailsAsync(ProblemKind.NotFound, () => files.StatAsync("/workspace/missing", Stop));
        await FailsAsync(ProblemKind.NotFound, () => files.ListAsync("/workspace/missing", Stop));
        await FailsAsync(ProblemKind.NotFound, () => files.DeleteAsync("/workspace/missing", true, Stop));
        await FailsAsync(ProblemKind.NotFound, () => files.MoveAsync("/workspace/missing", "/workspace/x", Stop));
        await FailsAsync(ProblemKind.NotFound, () => files.SetModeAsync("/workspace/missing", 0x1A4, Stop));

        await FailsAsync(ProblemKind.InvalidInput, () => ReadAsync(sandbox, "/workspace/full"));
        await FailsAsync(ProblemKind.InvalidInput, () => WriteAsync(sandbox, "/workspace/full", "x"));
        await FailsAsync(ProblemKind.InvalidInput, () => files.ListAsync("/workspace/file", Stop));
        await FailsAsync(ProblemKind.InvalidInput, () => WriteAsync(sandbox, "/workspace/file/below", "x"));
        await FailsAsync(ProblemKind.Conflict, () => files.DeleteAsync("/workspace/full", false, Stop));

        await FailsAsync(ProblemKind.InvalidInput, () => ReadAsync(sandbox, ""));
        await FailsAsync(ProblemKind.InvalidInput, () => ReadAsync(sandbox, "/workspace/a\0b"));
        await FailsAsync(ProblemKind.InvalidInput, () => WriteAsync(sandbox, "/workspace/" + new string('n', 256), "x"));
        await FailsAsync(ProblemKind.InvalidInput, () => WriteAsync(sandbox, "/workspace/" + string.Concat(Enumerable.Repeat("0123456789/", 455)) + "end", "x"));
    }

    [Fact]
    public async Task Lists_are_sorted_and_complete()
    {
        ISandbox sandbox = await CreateAsync();
        Assert.Equal(0, (await sandbox.ShellAsync("mkdir many && cd many && i=0 && while [ $i -lt 5000 ]; do : > file-$i; i=$((i+1)); done", Stop)).Code);
        IReadOnlyList<FileEntry> listed = await sandbox.Files.ListAsync("/workspace/many", Stop);
        Assert.Equal(5000, listed.Count);
        Assert.Equal(listed.Select(entry => entry.Path).Order(StringComparer.Ordinal), listed.Select(entry => entry.Path));
        await sandbox.Files.DeleteAsync("/workspace/many", true, Stop);
        Assert.Empty(await sandbox.Files.ListAsync("/workspace", Stop));
    }

    [Fact]
    public async Task Directories_are_made_with_their_parents_and_twice()
    {
        ISandbox sandbox = await CreateAsync();
        await sandbox.Files.MakeDirectoryAsync("/workspace/a/b/c", 0x1ED, Stop);
        await sandbox.Files.MakeDirectoryAsync("/workspace/a/b/c", 0x1ED, Stop);
        Assert.Equal(FileKind.Directory, (await sandbox.Files.StatAsync("/workspace/a/b/c", Stop)).Kind);
        await sandbox.Files.DeleteAsync("/workspace/a/b/c", false, Stop);
        await FailsAsync(ProblemKind.NotFound, () => sandbox.Files.StatAsync("/workspace/a/b/c", Stop));
    }

    [Fact]
    public async Task Moves_make_parents_replace_files_and_never_directories()
    {
        ISandbox sandbox = await CreateAsync();
        await WriteAsync(sandbox, "/workspace/one", "1");
        await WriteAsync(sandbox, "/workspace/two", "2");
        await WriteAsync(sandbox, "/workspace/dir/inside", "3");
        await sandbox.Files.MoveAsync("/workspace/one", "/workspace/new/parent/one", Stop);
        await sandbox.Files.MoveAsync("/workspace/new/parent/one", "/workspace/two", Stop);
        Assert.Equal("1", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/two")));
        await Assert.ThrowsAsync<StacyVMException>(() => sandbox.Files.MoveAsync("/workspace/two", "/workspace/dir", Stop));
        Assert.Equal("3", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/dir/inside")));
        await sandbox.Files.MoveAsync("/workspace/dir", "/workspace/renamed", Stop);
        Assert.Equal("3", Encoding.UTF8.GetString(await ReadAsync(sandbox, "/workspace/renamed/inside")));
    }

    [Fact]
    public async Task Globs_match_within_names_and_across_directories()
    {
        ISandbox sandbox = await CreateAsync();
        foreach (string path in new[] { "a.py", "b.txt", "src/c.py", "src/deep/d.py", "src/deep/.hidden.py", ".dot/e.py" })
            await WriteAsync(sandbox, $"/workspace/{path}", "");
        Assert.Equal(["/workspace/a.py"], await sandbox.Files.GlobAsync("/workspace/*.py", Stop));
        Assert.Equal(["/workspace/a.py", "/workspace/src/c.py", "/workspace/src/deep/d.py"], await sandbox.Files.GlobAsync("/workspace/**/*.py", Stop));
        Assert.Equal(["/workspace/src/deep/d.py"], await sandbox.Files.GlobAsync("/workspace/src/deep/?.py", Stop));
        Assert.Equal(["/workspace/a.py", "/workspace/b.txt"], await sandbox.Files.GlobAsync("/workspace/[ab].*", Stop));
        Assert.Empty(await sandbox.Files.GlobAsync("/workspace/*.none", Stop));
    }

    private protected static async Task<byte[]> ReadAsync(ISandbox sandbox, string path, long offset = 0, long length = long.MaxValue)
    {
        await using FileContent content = await sandbox.Files.OpenReadAsync(path, offset, length, CancellationToken.None);
        var all = new MemoryStream();
        await content.Stream.CopyToAsync(all);
        return all.ToArray();
    }

    private protected static Task WriteAsync(ISandbox sandbox, string path, string content, uint? mode = null) =>
        sandbox.Files.WriteAsync(path, new MemoryStream(Encoding.UTF8.GetBytes(content)), mode, CancellationToken.None);

    /// <summary>An upload whose client goes away.</summary>
    private sealed class BreakingStream(int bytes) : MemoryStream
    {
        private int _left = bytes;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
                throw new InvalidDataException("the client went away");
            int count = Math.Min(_left, buffer.Length);
            _left -= count;
            return ValueTask.FromResult(count);
        }
    }
}
