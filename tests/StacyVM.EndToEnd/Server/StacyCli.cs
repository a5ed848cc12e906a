using System.Diagnostics;

namespace StacyVM.EndToEnd.Server;

/// <summary>Runs the published binary's command line against a server.</summary>
internal static class StacyCli
{
    public sealed record Outcome(int Code, string Out, string Error);

    public static Task<Outcome> RunAsync(PublishedServer server, params string[] arguments) =>
        RunAsync(["--server", $"http://127.0.0.1:{server.Port}", .. arguments]);

    public static async Task<Outcome> RunAsync(string[] arguments, Dictionary<string, string>? environment = null, string? input = null, string? binary = null)
    {
        var start = new ProcessStartInfo(binary ?? PublishedServer.Binary, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? [])
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await process.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"stacyvm {string.Join(' ', arguments)} did not end: {await output} {await error}");
        }
        return new Outcome(process.ExitCode, await output, await error);
    }
}
