using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>
/// A command whose output comes as lines of JSON while it runs. Letting go of the answer is what ends the command: a backend has to notice that
/// its client went away.
/// </summary>
internal sealed class CustomStreamSession : IExecSession
{
    /// <summary>Where the backend does not say how the command ended; its contract lets it end a stream without a word.</summary>
    public const int UnknownCode = -1;

    private readonly CustomBackend _backend;
    private readonly RemoteCommand _command;
    private readonly CustomSandbox _sandbox;
    private readonly HttpResponseMessage _answer;
    private readonly LineReader _lines;
    private int _code = UnknownCode;
    private bool _over;

    private CustomStreamSession(CustomSandbox sandbox, CustomBackend backend, RemoteCommand command, HttpResponseMessage answer, Stream body)
    {
        (_sandbox, _backend, _command, _answer) = (sandbox, backend, command, answer);
        _lines = new LineReader(body, backend.Who);
    }

    public uint Process => 0;

    public uint Pid => 0;

    public ulong Offset => 0;

    public Task<ExecExit> Exit => _command.Exit;

    public static async Task<IExecSession> StartAsync(CustomSandbox sandbox, CustomBackend backend, RemoteCommand command, ExecSpec spec, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(command.Life, cancellation);
        try
        {
            using HttpContent body = CustomRequests.Exec(sandbox.Remote, spec, stream: true);
            HttpResponseMessage answer = await backend.OpenAsync(
                HttpMethod.Post, "exec", body,
                request => request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/x-ndjson")), either.Token).ConfigureAwait(false);
            return new CustomStreamSession(sandbox, backend, command, answer, await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (command.IsCutOff && !cancellation.IsCancellationRequested)
        {
            // Its time was up before the backend had said a word: the session says so.
            return new CustomStreamSession(sandbox, backend, command, new HttpResponseMessage(), Stream.Null);
        }
        catch (CustomRefusal refusal)
        {
            throw await sandbox.ExplainAsync(refusal, spec.Arguments[0], cancellation).ConfigureAwait(false);
        }
    }

    public async ValueTask<ExecOutput?> ReadAsync(CancellationToken cancellation)
    {
        if (_over)
            return null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_command.Life, cancellation);
        try
        {
            while (!_command.IsCutOff && await _lines.ReadAsync(either.Token).ConfigureAwait(false) is { } line)
            {
                if (Output(line) is { } output)
                    return output;
            }
            if (!_command.IsCutOff)
            {
                _over = true;
                _command.End(_code);
                return null;
            }
        }
        catch (OperationCanceledException) when (_command.IsCutOff)
        {
            // As below.
        }
        catch (Exception e) when (e is IOException or HttpRequestException && !_command.IsCutOff)
        {
            StacyVMException problem = _backend.Unreachable(e);
            _over = true;
            _command.Fail(problem);
            throw problem;
        }
        catch (StacyVMException problem)
        {
            _over = true;
            _command.Fail(problem);
            throw;
        }
        _over = true;
        _answer.Dispose();
        _command.EndAsCutOff();
        return null;
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) => throw _sandbox.Unsupported("input of commands");

    public ValueTask CloseInputAsync(CancellationToken cancellation) => throw _sandbox.Unsupported("input of commands");

    public ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellation) => throw _sandbox.Unsupported("terminals");

    public ValueTask SignalAsync(int signal, CancellationToken cancellation) => throw _sandbox.Unsupported("signals");

    public ValueTask KillAsync(CancellationToken cancellation)
    {
        _command.Kill();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _command.Dispose();
        _answer.Dispose();
        return default;
    }

    private ExecOutput? Output(ReadOnlyMemory<byte> line)
    {
        if (line.Span.Trim((byte)' ').IsEmpty)
            return null;
        using JsonDocument document = RemoteJson.Parse(line, _backend.Who);
        JsonElement root = document.RootElement;
        if (root.Number("exit_code") is { } code)
            _code = (int)Math.Clamp(code, int.MinValue, int.MaxValue);
        return root.Text("data") is { Length: > 0 } data
            ? new ExecOutput(root.Text("stream") == "stderr", Encoding.UTF8.GetBytes(data))
            : null;
    }
}
