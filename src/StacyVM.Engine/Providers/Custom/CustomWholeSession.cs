using System.Text;
using System.Text.Json;
using StacyVM.Engine.Providers.Remote;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>A command that the backend answers when it has ended, with all its output and its exit code.</summary>
internal sealed class CustomWholeSession(CustomSandbox sandbox, CustomBackend backend, RemoteCommand command, ExecSpec spec) : IExecSession
{
    private readonly Queue<ExecOutput> _output = new();
    private bool _asked;

    public uint Process => 0;

    public uint Pid => 0;

    public ulong Offset => 0;

    public Task<ExecExit> Exit => command.Exit;

    public async ValueTask<ExecOutput?> ReadAsync(CancellationToken cancellation)
    {
        if (!_asked)
        {
            _asked = true;
            await AskAsync(cancellation).ConfigureAwait(false);
        }
        return _output.TryDequeue(out ExecOutput output) ? output : null;
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation) => throw sandbox.Unsupported("input of commands");

    public ValueTask CloseInputAsync(CancellationToken cancellation) => throw sandbox.Unsupported("input of commands");

    public ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellation) => throw sandbox.Unsupported("terminals");

    public ValueTask SignalAsync(int signal, CancellationToken cancellation) => throw sandbox.Unsupported("signals");

    public ValueTask KillAsync(CancellationToken cancellation)
    {
        command.Kill();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        command.Dispose();
        return default;
    }

    private async Task AskAsync(CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(command.Life, cancellation);
        try
        {
            using HttpContent body = CustomRequests.Exec(sandbox.Remote, spec, stream: false);
            using JsonDocument answer = await backend.WaitAsync("exec", body, either.Token).ConfigureAwait(false);
            JsonElement root = answer.RootElement;
            Add(false, root.Text("stdout"));
            Add(true, root.Text("stderr"));
            command.End((int)Math.Clamp(root.Number("exit_code") ?? 0, int.MinValue, int.MaxValue));
        }
        catch (OperationCanceledException) when (command.IsCutOff)
        {
            command.EndAsCutOff();
        }
        catch (CustomRefusal refusal)
        {
            StacyVMException problem = await sandbox.ExplainAsync(refusal, spec.Arguments[0], cancellation).ConfigureAwait(false);
            command.Fail(problem);
            throw problem;
        }
        catch (StacyVMException problem)
        {
            command.Fail(problem);
            throw;
        }
    }

    private void Add(bool isError, string? text)
    {
        if (text is { Length: > 0 })
            _output.Enqueue(new ExecOutput(isError, Encoding.UTF8.GetBytes(text)));
    }
}
