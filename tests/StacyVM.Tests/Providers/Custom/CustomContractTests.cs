using System.Net;
using System.Net.Http.Headers;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Custom;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Conformance;
using Xunit;

namespace StacyVM.Tests.Providers.Custom;

/// <summary>The contract for backends word by word, and what a backend may not do to us.</summary>
public sealed class CustomContractTests : IAsyncDisposable
{
    private const string Key = "canary-key-of-the-backend";

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-custom-").FullName;
    private readonly ScriptedBackend _backend = new();
    private readonly AgentHost _host;
    private readonly CustomProvider _provider;

    public CustomContractTests()
    {
        _host = new AgentHost("test", _directory, "none");
        _provider = new CustomProvider(_host, new CustomOptions { BaseUrl = "http://backend.test/base/", ApiKey = Key }, _backend);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static SandboxSpec Spec => new() { Image = "alpine:latest", MemoryMb = 512, Vcpus = 2, DiskMb = 1024, Metadata = new Dictionary<string, string> { ["purpose"] = "test" } };

    public async ValueTask DisposeAsync()
    {
        _provider.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_life_is_asked_for_in_the_words_of_the_contract()
    {
        _backend["POST exec"] = """{"exit_code":3,"stdout":"out","stderr":"err"}""";
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.RunAsync(
            new ExecSpec { Arguments = ["prog", "a b"], Environment = new Dictionary<string, string> { ["K"] = "v" }, WorkingDirectory = "/w", Whole = true }, Stop);
        Assert.Equal((3, "out", "err"), (outcome.Code, outcome.Output, outcome.Error));
        Assert.Equal(RuntimeState.Running, (await sandbox.StatusAsync(Stop)).State);
        await sandbox.DestroyAsync(Stop);
        Assert.Equal(
        [
            """POST /base/spawn {"image":"alpine:latest","memory_mb":512,"vcpus":2,"disk_size_mb":1024,"metadata":{"purpose":"test","stacyvm.sandbox":"sb-1"}}""",
            """POST /base/exec {"sandbox_id":"remote-1","command":"prog","args":["a b"],"mode":"argv","env":{"K":"v"},"workdir":"/w"}""",
            "GET /base/status/remote-1",
            "DELETE /base/sandboxes/remote-1",
        ], _backend.Calls);
        Assert.Equal(Key, _backend.Headers["X-API-Key"]);
    }

    [Fact]
    public async Task Files_are_asked_for_in_the_words_of_the_contract()
    {
        const string info = """{"path":"x","size":5,"mode":"-rw-r-----","is_dir":false,"mod_time":"2026-01-02T03:04:05Z"}""";
        _backend["GET files/stat"] = info;
        _backend["GET files/list"] = """[{"path":"sub","mode":"drwxr-x---","is_dir":true},{"path":"/dir/b","size":2,"mode":"640"},""" + info + "]";
        _backend["GET files/glob"] = """["/dir/b","/dir/a"]""";
        _backend.Answer("GET files", () => new HttpResponseMessage { Content = new StringContent("hello") });
        ISandboxFiles files = (await CreateAsync()).Files;

        Assert.Equal(4, await files.WriteAsync("/dir/x", new MemoryStream("a\"é"u8.ToArray()), 0x1E8, Stop));
        await using (FileContent content = await files.OpenReadAsync("/dir/x y", 1, 3, Stop))
            Assert.Equal("ell", await new StreamReader(content.Stream).ReadToEndAsync(Stop));
        Assert.Equal(new FileEntry("/dir/x", FileKind.File, 5, 0x1A0, 1767323045), await files.StatAsync("/dir/x", Stop));
        Assert.Equal(
            [new("/dir/b", FileKind.File, 2, 0x1A0, 0), new("/dir/sub", FileKind.Directory, 0, 0x1E8, 0), new("/dir/x", FileKind.File, 5, 0x1A0, 1767323045)],
            await files.ListAsync("/dir", Stop));
        Assert.Equal(["/dir/a", "/dir/b"], await files.GlobAsync("/dir/*", Stop));
        await files.DeleteAsync("/dir/x", true, Stop);
        await files.MoveAsync("/dir/x", "/dir/y", Stop);
        await files.SetModeAsync("/dir/y", 0x1ED, Stop);
        Assert.Equal(
        [
            """POST /base/files {"sandbox_id":"remote-1","path":"/dir/x","mode":"0750","content":"a\u0022\u00E9"}""",
            "GET /base/files/stat?sandbox_id=remote-1&path=%2Fdir%2Fx%20y",
            "GET /base/files?sandbox_id=remote-1&path=%2Fdir%2Fx%20y",
            "GET /base/files/stat?sandbox_id=remote-1&path=%2Fdir%2Fx",
            "GET /base/files/list?sandbox_id=remote-1&path=%2Fdir",
            "GET /base/files/glob?sandbox_id=remote-1&pattern=%2Fdir%2F%2A",
            """DELETE /base/files {"sandbox_id":"remote-1","path":"/dir/x","recursive":true}""",
            """POST /base/files/move {"sandbox_id":"remote-1","old_path":"/dir/x","new_path":"/dir/y"}""",
            """POST /base/files/chmod {"sandbox_id":"remote-1","path":"/dir/y","mode":"0755"}""",
        ], _backend.Calls.Skip(1));
    }

    [Fact]
    public async Task A_stream_may_have_long_lines_and_need_not_say_how_it_ended()
    {
        string longLine = new('x', 3_000_000);
        _backend.Answer("POST exec", () => Lines("""{"stream":"stdout","data":"LONG"}""".Replace("LONG", longLine), "", """{"stream":"stderr","data":"e"}"""));
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.RunAsync(Stop, "prog");
        Assert.Equal((longLine, "e", CustomStreamSession.UnknownCode), (outcome.Output, outcome.Error, outcome.Code));
        Assert.Equal("""POST /base/exec {"sandbox_id":"remote-1","command":"prog","mode":"argv","stream":true}""", _backend.Calls[^1]);
        Assert.Equal("application/x-ndjson", _backend.Headers["Accept"]);

        _backend.Answer("POST exec", () => Lines("""{"stream":"stdout","data":"o"}""", """{"stream":"stdout","data":"","exit_code":7}"""));
        Assert.Equal(7, (await sandbox.RunAsync(Stop, "prog")).Code);
    }

    [Theory]
    [InlineData(400, ProblemKind.InvalidInput)]
    [InlineData(401, ProblemKind.ProviderUnavailable)]
    [InlineData(403, ProblemKind.Forbidden)]
    [InlineData(404, ProblemKind.NotFound)]
    [InlineData(408, ProblemKind.ExecTimeout)]
    [InlineData(409, ProblemKind.Conflict)]
    [InlineData(410, ProblemKind.SandboxGone)]
    [InlineData(429, ProblemKind.ResourceLimit)]
    [InlineData(500, ProblemKind.Internal)]
    [InlineData(503, ProblemKind.ProviderUnavailable)]
    [InlineData(507, ProblemKind.StorageFull)]
    [InlineData(302, ProblemKind.ProviderUnavailable)]
    public async Task Each_refusal_has_its_problem_and_none_repeats_the_key(int status, ProblemKind kind)
    {
        ISandbox sandbox = await CreateAsync();
        _backend.Answer("GET files/stat", () => ScriptedBackend.Json($$"""{"error":"no\u0007 {{Key}}"}""", status));
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => sandbox.Files.StatAsync("/x", Stop));
        Assert.Equal(kind, problem.Kind);
        Assert.Contains("sb-1", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\a', problem.Message);
        Assert.DoesNotContain(_backend.Calls, call => call.Contains(Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("no json")]
    [InlineData("""{"id":7}""")]
    [InlineData("""{"id":""}""")]
    [InlineData("""{"id":".."}""")]
    [InlineData("""{"id":"a\nb"}""")]
    [InlineData("""{"id":"\ud800"}""")]
    public async Task A_spawn_without_a_usable_id_leaves_nothing(string answer)
    {
        _backend["POST spawn"] = answer;
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => CreateAsync());
        Assert.Equal(ProblemKind.ProviderUnavailable, problem.Kind);
        Assert.Empty(await _provider.ListAsync(Stop));
    }

    [Fact]
    public async Task Ids_of_a_backend_stay_one_segment_of_a_path()
    {
        _backend["POST spawn"] = """{"id":"../a?b#c/d"}""";
        await (await CreateAsync()).DestroyAsync(Stop);
        Assert.Equal("DELETE /base/sandboxes/..%2Fa%3Fb%23c%2Fd", _backend.Calls[^1]);
    }

    [Fact]
    public async Task Endless_and_meaningless_answers_are_refused()
    {
        ISandbox sandbox = await CreateAsync();
        _backend.Answer("GET files/list", () => new HttpResponseMessage { Content = new StreamContent(new EndlessStream()) });
        Assert.Equal(ProblemKind.ProviderUnavailable, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.Files.ListAsync("/", Stop))).Kind);
        _backend.Answer("POST exec", () => new HttpResponseMessage { Content = new StreamContent(new EndlessStream()) });
        Assert.Equal(ProblemKind.ProviderUnavailable, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.RunAsync(Stop, "prog"))).Kind);
        _backend["GET files/stat"] = new string('[', 10_000);
        Assert.Equal(ProblemKind.ProviderUnavailable, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.Files.StatAsync("/x", Stop))).Kind);
        _backend["GET status"] = """{"state":"dancing"}""";
        Assert.Equal(ProblemKind.ProviderUnavailable, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.StatusAsync(Stop))).Kind);
    }

    [Fact]
    public async Task What_the_contract_cannot_carry_is_refused_and_not_declared()
    {
        ISandbox sandbox = await CreateAsync();
        Assert.False(sandbox is IKeepsProcesses or IForwardsPorts or IReportsUsage);
        foreach (ExecSpec spec in new ExecSpec[] { new() { Arguments = ["x"], Stdin = true }, new() { Arguments = ["x"], Detached = true }, new() { Arguments = ["x"], Terminal = new(80, 24) } })
            Assert.Equal(ProblemKind.Unsupported, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.StartAsync(spec, Stop))).Kind);
        StacyVMException binary = await Assert.ThrowsAsync<StacyVMException>(() => sandbox.Files.WriteAsync("/x", new MemoryStream([0xFF, 0xFE]), null, Stop));
        Assert.Equal(ProblemKind.Unsupported, binary.Kind);
        Assert.Single(await Assert.IsAssignableFrom<IConsoleLog>(sandbox).TailAsync(10, Stop));
    }

    [Fact]
    public async Task A_sandbox_that_the_backend_has_forgotten_is_gone()
    {
        ISandbox sandbox = await CreateAsync();
        foreach (string call in new[] { "GET status", "GET files/stat", "POST exec" })
            _backend.Answer(call, () => ScriptedBackend.Json("{}", 404));
        Assert.Equal(RuntimeState.Gone, (await sandbox.StatusAsync(Stop)).State);
        Assert.Equal(ProblemKind.SandboxGone, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.Files.StatAsync("/x", Stop))).Kind);
        Assert.Equal(ProblemKind.SandboxGone, (await Assert.ThrowsAsync<StacyVMException>(() => sandbox.RunAsync(Stop, "prog"))).Kind);
        Assert.Null(await _provider.RecoverAsync(sandbox.Id, sandbox.Handle, Stop));
        Assert.False(Assert.Single(await _provider.ListAsync(Stop)).Running);
    }

    [Fact]
    public async Task A_backend_that_is_not_there_is_unhealthy_with_its_reason()
    {
        using var provider = new CustomProvider(_host, new CustomOptions { BaseUrl = "http://127.0.0.1:1", ApiKey = Key });
        ProviderHealth health = await provider.ProbeAsync(Stop);
        Assert.False(health.Healthy);
        Assert.Contains("cannot be reached", health.Error, StringComparison.Ordinal);
        Assert.Equal(["type"], provider.PublicSettings.Keys);
    }

    private Task<ISandbox> CreateAsync() => _provider.CreateAsync("sb-1", Spec, null, Stop);

    private static HttpResponseMessage Lines(params string[] lines)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
    }

    /// <summary>A line that never ends.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)' ');
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
