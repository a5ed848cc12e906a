using System.Runtime.CompilerServices;
using System.Text.Json;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class Sandbox
{
    /// <summary>Runs a command to its end. A command that fails is a result, not an error.</summary>
    /// <param name="command">Shell text, or the program where <see cref="ExecOptions.Mode"/> is <see cref="ExecMode.Argv"/>.</param>
    /// <param name="options">Null: a shell command in <c>/workspace</c> with the server's time limit.</param>
    /// <param name="cancellation">Kills the command with all its children.</param>
    /// <exception cref="ServerException">ExecTimeout when its time was up; ResourceLimit for a timeout above the server's maximum.</exception>
    public Task<ExecResult> ExecAsync(string command, ExecOptions? options = null, CancellationToken cancellation = default) =>
        _connection.CallAsync(Exec((options ?? ExecOptions.Default).ToRequest(command)), RestJson.Default.ExecResult, cancellation);

    /// <summary>
    /// Runs a command and gives its output as it comes. The last chunk is empty and carries <see cref="StreamChunk.ExitCode"/>. Text only:
    /// for bytes, input and signals see <see cref="OpenSessionAsync"/>. Leaving the enumeration kills the command with all its children.
    /// </summary>
    /// <exception cref="ServerException">Before the first chunk as <see cref="ExecAsync"/>; after the last one ExecTimeout or SandboxGone when the command did not end by itself.</exception>
    public async IAsyncEnumerable<StreamChunk> ExecStreamAsync(string command, ExecOptions? options = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ApiCall call = Exec((options ?? ExecOptions.Default).ToRequest(command) with { Stream = true });
        await foreach (StreamChunk chunk in ChunksAsync(call, cancellation).ConfigureAwait(false))
            yield return chunk;
    }

    /// <summary>Starts a command that runs on without a client. Its output is kept (the newest part, when it is much) and can be attached to.</summary>
    public Task<ProcessInfo> StartBackgroundAsync(string command, ExecOptions? options = null, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            Exec((options ?? ExecOptions.Default).ToRequest(command) with { Background = true }), RestJson.Default.ProcessInfo, cancellation);

    /// <summary>Running processes that were started through the server, and those that ended not long ago.</summary>
    public async Task<IReadOnlyList<ProcessInfo>> ProcessesAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync(_path + "/processes", RestJson.Default.ListProcessInfo, Id, cancellation).ConfigureAwait(false);

    /// <summary>One process.</summary>
    /// <exception cref="NotFoundException">No such process.</exception>
    public Task<ProcessInfo> ProcessAsync(long processId, CancellationToken cancellation = default) =>
        _connection.GetAsync($"{_path}/processes/{processId}", RestJson.Default.ProcessInfo, Id, cancellation);

    /// <summary>Replays what a process has printed, as text; for bytes see <see cref="AttachAsync"/>.</summary>
    /// <param name="processId"><see cref="ProcessInfo.ProcessId"/>.</param>
    /// <param name="offset">Bytes of output to skip: the <see cref="StreamChunk.Offset"/> of the last chunk that was seen.</param>
    /// <param name="follow">Wait for more until the process ends; the last chunk then carries its exit code.</param>
    /// <param name="cancellation">Ends the enumeration; the process runs on.</param>
    /// <exception cref="NotFoundException">No such process.</exception>
    public IAsyncEnumerable<StreamChunk> ProcessOutputAsync(long processId, long offset = 0, bool follow = false, CancellationToken cancellation = default) =>
        ChunksAsync(Get($"/processes/{processId}/output?offset={offset}&follow={(follow ? "true" : "false")}"), cancellation);

    /// <param name="processId"><see cref="ProcessInfo.ProcessId"/>.</param>
    /// <param name="signal"><c>SIGINT</c>, <c>INT</c> or a number.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NotFoundException">No such process.</exception>
    public Task SignalProcessAsync(long processId, string signal, CancellationToken cancellation = default) =>
        _connection.CallAsync(
            Post($"/processes/{processId}/signal") with { Content = ApiCall.Json(new SignalRequest { Signal = signal }, RestJson.Default.SignalRequest) },
            cancellation);

    /// <summary>Kills a process with all its children.</summary>
    /// <param name="processId"><see cref="ProcessInfo.ProcessId"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NotFoundException">No such process.</exception>
    public Task KillProcessAsync(long processId, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Delete, $"{_path}/processes/{processId}") { SandboxId = Id }, cancellation);

    /// <summary>Runs a command interactively: bytes both ways, terminal, signals, exit code.</summary>
    /// <exception cref="ServerException">As <see cref="ExecAsync"/>.</exception>
    public Task<ExecSession> OpenSessionAsync(string command, ExecSessionOptions? options = null, CancellationToken cancellation = default) =>
        ExecSession.OpenAsync(_connection, Id, _path + "/exec/ws", (options ?? ExecSessionOptions.Pipes).ToMessage(command), cancellation);

    /// <summary>Attaches to a process again and replays its output.</summary>
    /// <param name="processId"><see cref="ProcessInfo.ProcessId"/>.</param>
    /// <param name="offset">Bytes of output to skip: 0 for all that is kept, <see cref="ExecSession.Offset"/> of a session that broke.</param>
    /// <param name="cancellation">Gives up attaching.</param>
    /// <exception cref="NotFoundException">No such process.</exception>
    public Task<ExecSession> AttachAsync(long processId, long offset = 0, CancellationToken cancellation = default) =>
        ExecSession.OpenAsync(
            _connection,
            Id,
            _path + "/exec/ws",
            new ExecSocketMessage { Type = "attach", ProcessId = processId, Offset = offset, Binary = true },
            cancellation);

    private ApiCall Exec(ExecRequest request) =>
        Post("/exec") with { Content = ApiCall.Json(request, RestJson.Default.ExecRequest), Unhurried = true };

    private async IAsyncEnumerable<StreamChunk> ChunksAsync(ApiCall call, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using HttpResponseMessage response = await _connection.SendAsync(call, cancellation).ConfigureAwait(false);
        using Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await foreach (string line in LineReader.ReadLinesAsync(body, _connection, cancellation).ConfigureAwait(false))
        {
            // Blank lines keep the connection alive.
            if (line.Length == 0)
                continue;
            StreamChunk chunk = ParseChunk(line);
            yield return chunk;
            if (chunk.Code is { Length: > 0 } code)
                throw ErrorTranslation.ToException(0, code, "", Id, null);
        }
    }

    private StreamChunk ParseChunk(string line)
    {
        try
        {
            if (JsonSerializer.Deserialize(line, RestJson.Default.StreamChunk) is { } chunk)
                return chunk;
        }
        catch (JsonException fault)
        {
            throw new ConnectionException($"the output of a command in {Id} is garbled", fault);
        }
        throw new StacyVMException(ProblemKind.Internal, $"the output of a command in {Id} is garbled");
    }
}
