#:project ../../src/StacyVM.Sdk/StacyVM.Sdk.csproj
// An agent loop: a model writes code, a sandbox runs it, and what it printed goes back to the model until the task is done.
//
// ScriptedModel stands in for a language model: it answers from a list, the first time with a mistake, so that the loop has something to
// do. Put a real one in its place; the loop stays as it is.
//
//   ./stacyvm serve                             # in another terminal
//   dotnet run examples/agent-loop/main.cs
//
// In a project of your own, `dotnet add package StacyVM.Sdk` takes the place of the first line.
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

const string Task = "How many primes are there below 10,000?";
const int MaxTurns = 5;

using var client = new StacyClient(Environment.GetEnvironmentVariable("STACYVM_URL") ?? "http://localhost:7423", Environment.GetEnvironmentVariable("STACYVM_API_KEY"));
var seen = new List<string>();
await using (Sandbox sandbox = await client.SpawnAsync(new SpawnRequest { Ttl = "10m" }))
{
    for (int turn = 1; turn <= MaxTurns && ScriptedModel.NextProgram(Task, seen) is { } program; turn++)
    {
        seen.Add(await RunAsync(sandbox, program));
        Console.WriteLine($"--- turn {turn} ---\n{program}\n--- it printed ---\n{seen[^1].Trim()}");
    }
}
Console.WriteLine($"{Task} {seen[^1].Trim()}");
return seen[^1].Trim() == "1229" ? 0 : 1;

// What the program printed, as the model is to see it. Whatever the program does, it does in there.
static async Task<string> RunAsync(Sandbox sandbox, string program)
{
    await sandbox.WriteFileAsync("/workspace/program.py", program);
    try
    {
        ExecResult result = await sandbox.ExecAsync("python3 program.py", new ExecOptions { Timeout = TimeSpan.FromSeconds(20) });
        return result.ExitCode == 0 ? result.Stdout : $"exit code {result.ExitCode}\n{result.Stderr}";
    }
    catch (StacyVMException problem) when (problem.Kind == ProblemKind.ExecTimeout)
    {
        return "the program did not end within 20 s";
    }
}

/// <summary>No language model: the same answers every time, chosen by what was seen so far.</summary>
internal static class ScriptedModel
{
    public static string? NextProgram(string task, IReadOnlyList<string> seen)
    {
        if (seen.Count == 0)
            return "print(sum(is_prime(n) for n in range(10_000)))";
        if (!seen[^1].Contains("NameError"))
            return null;
        return """
            def is_prime(n):
                return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))

            print(sum(is_prime(n) for n in range(10_000)))
            """;
    }
}
