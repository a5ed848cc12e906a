using StacyVM.Engine.Providers;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

public sealed class SandboxFileAccessTests
{
    [Fact]
    public async Task Reads_and_writes_are_told_counted_and_audited()
    {
        await using EngineFixture fixture = await OpenAsync();
        string id = await SandboxAsync(fixture);

        await fixture.Engine.Files.WriteAsync(id, "/a", new MemoryStream("hello"u8.ToArray()), 0b110_100_000, Anyone, default);
        await using (FileContent content = await fixture.Engine.Files.OpenReadAsync(id, "/a", 0, long.MaxValue, Anyone, default))
            Assert.Equal("hello", await new StreamReader(content.Stream).ReadToEndAsync());

        await fixture.EventAsync("file.written", id);
        await fixture.EventAsync("file.read", id);
        await fixture.Engine.Store.FlushAsync();
        IReadOnlyList<AuditRow> rows = await fixture.Engine.Store.ReadAuditAsync(null, 10, default);
        Assert.Contains(rows, row => (row.Action, row.Resource, row.Detail) == ("file.write", "/a", "bytes=5 mode=0640"));
        Assert.Contains(rows, row => (row.Action, row.Resource, row.Detail) == ("file.read", "/a", "bytes=5"));
        Assert.Equal(["file_read", "file_write", "spawn"], fixture.Engine.Counters.Snapshot().Select(count => count.Operation));
    }

    [Fact]
    public async Task A_missing_file_is_an_answer_and_no_event()
    {
        await using EngineFixture fixture = await OpenAsync();
        string id = await SandboxAsync(fixture);

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Files.StatAsync(id, "/missing", Anyone, default));

        Assert.Equal(ProblemKind.NotFound, problem.Kind);
        Assert.Equal(1, fixture.Engine.Counters.Snapshot().Single(count => count.Operation == "file_stat").Failures);
        Assert.DoesNotContain(fixture.Seen, message => message.Type is "operation.failed" or "provider.failed");
    }

    [Fact]
    public async Task Another_tenants_files_are_not_found()
    {
        await using EngineFixture fixture = await OpenAsync();
        string id = await SandboxAsync(fixture);
        var stranger = new Engine.Sandboxes.Caller("api", null, "other", "mallory");

        Assert.Equal(ProblemKind.SandboxNotFound, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Files.StatAsync(id, "/a", stranger, default))).Kind);
    }

    private static async Task<string> SandboxAsync(EngineFixture fixture)
    {
        SandboxInfo info = await fixture.SpawnAsync();
        ((ScriptedSandbox)await fixture.Sandboxes.LivingAsync(info.Id, Anyone, default)).Files = new FilesInMemory();
        return info.Id;
    }

    /// <summary>Whole files by name; no directories.</summary>
    private sealed class FilesInMemory : ISandboxFiles
    {
        private readonly Dictionary<string, byte[]> _files = [];

        public Task<FileContent> OpenReadAsync(string path, long offset, long length, CancellationToken cancellation) =>
            Task.FromResult(new FileContent(Entry(path), new MemoryStream(_files[path])));

        public async Task<long> WriteAsync(string path, Stream content, uint? mode, CancellationToken cancellation)
        {
            using var bytes = new MemoryStream();
            await content.CopyToAsync(bytes, cancellation);
            _files[path] = bytes.ToArray();
            return bytes.Length;
        }

        public Task<FileEntry> StatAsync(string path, CancellationToken cancellation) => Task.FromResult(Entry(path));

        public Task<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken cancellation) => throw new NotSupportedException();

        public Task DeleteAsync(string path, bool recursive, CancellationToken cancellation) => throw new NotSupportedException();

        public Task MoveAsync(string from, string to, CancellationToken cancellation) => throw new NotSupportedException();

        public Task SetModeAsync(string path, uint mode, CancellationToken cancellation) => throw new NotSupportedException();

        public Task MakeDirectoryAsync(string path, uint mode, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<IReadOnlyList<string>> GlobAsync(string pattern, CancellationToken cancellation) => throw new NotSupportedException();

        private FileEntry Entry(string path) => _files.TryGetValue(path, out byte[]? bytes)
            ? new FileEntry(path, FileKind.File, bytes.Length, 0, 0)
            : throw new StacyVMException(ProblemKind.NotFound, path);
    }
}
