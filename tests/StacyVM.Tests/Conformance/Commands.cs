using System.Text;
using StacyVM.Engine.Providers;

namespace StacyVM.Tests.Conformance;

/// <summary>Whole commands on top of the one primitive.</summary>
internal static class Commands
{
    public static Task<Outcome> RunAsync(this ISandbox sandbox, CancellationToken cancellation, params string[] arguments) =>
        sandbox.RunAsync(new ExecSpec { Arguments = arguments }, cancellation);

    public static Task<Outcome> ShellAsync(this ISandbox sandbox, string script, CancellationToken cancellation) =>
        sandbox.RunAsync(cancellation, "sh", "-c", script);

    public static async Task<Outcome> RunAsync(this ISandbox sandbox, ExecSpec spec, CancellationToken cancellation)
    {
        await using IExecSession session = await sandbox.StartAsync(spec, cancellation);
        return await session.CollectAsync(cancellation);
    }

    /// <summary>Reads to the end.</summary>
    public static async Task<Outcome> CollectAsync(this IExecSession session, CancellationToken cancellation)
    {
        var output = new MemoryStream();
        var error = new MemoryStream();
        while (await session.ReadAsync(cancellation) is { } piece)
            (piece.IsError ? error : output).Write(piece.Data.Span);
        return new Outcome(await session.Exit.WaitAsync(cancellation), output.ToArray(), error.ToArray());
    }

    /// <summary>Reads until the output so far holds a text.</summary>
    public static async Task<string> ReadUntilAsync(this IExecSession session, string text, CancellationToken cancellation)
    {
        var seen = new StringBuilder();
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            if (await session.ReadAsync(cancellation) is not { } piece)
                throw new InvalidOperationException($"the output ended without \"{text}\": {seen}");
            seen.Append(Encoding.UTF8.GetString(piece.Data.Span));
        }
        return seen.ToString();
    }
}

/// <summary>What a command did.</summary>
internal sealed record Outcome(ExecExit Exit, byte[] OutputBytes, byte[] ErrorBytes)
{
    public int Code => Exit.Code;

    public string Output => Encoding.UTF8.GetString(OutputBytes);

    public string Error => Encoding.UTF8.GetString(ErrorBytes);
}
