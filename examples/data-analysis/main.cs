#:project ../../src/StacyVM.Sdk/StacyVM.Sdk.csproj
// Data analysis: a CSV goes into a sandbox, a program works on it there, a report and a chart come back.
//
//   ./stacyvm serve                                        # in another terminal
//   dotnet run examples/data-analysis/main.cs [FOLDER]     # where the chart goes; default: a temporary one
//
// In a project of your own, `dotnet add package StacyVM.Sdk` takes the place of the first line.
using System.Runtime.CompilerServices;
using System.Text.Json;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

string target = args is [{ } folder, ..] ? folder : Directory.CreateTempSubdirectory("chart-").FullName;
using var client = new StacyClient(Environment.GetEnvironmentVariable("STACYVM_URL") ?? "http://localhost:7423", Environment.GetEnvironmentVariable("STACYVM_API_KEY"));

// Whatever happens in the block, the sandbox is destroyed at its end.
await using Sandbox sandbox = await client.SpawnAsync(new SpawnRequest { Ttl = "10m" });
foreach (string name in (string[])["sales.csv", "analysis.py"])
    await sandbox.WriteFileAsync($"/workspace/{name}", await File.ReadAllBytesAsync(Path.Combine(Here(), name)));

await foreach (StreamChunk chunk in sandbox.ExecStreamAsync("python3 analysis.py", new ExecOptions { Timeout = TimeSpan.FromMinutes(1) }))
{
    (chunk.Stream == "stderr" ? Console.Error : Console.Out).Write(chunk.Data);
    if (chunk.ExitCode is not (null or 0))
        throw new InvalidOperationException($"the analysis ended with {chunk.ExitCode}");
}

string chart = Path.Combine(target, "chart.svg");
await File.WriteAllBytesAsync(chart, await sandbox.ReadFileBytesAsync("/workspace/chart.svg"));
using JsonDocument report = JsonDocument.Parse(await sandbox.ReadFileAsync("/workspace/report.json"));
foreach (JsonProperty region in report.RootElement.EnumerateObject())
    Console.WriteLine($"{region.Name,-8}{region.Value.GetDouble(),12:0.00}");
Console.WriteLine($"the chart is in {chart}");

static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
