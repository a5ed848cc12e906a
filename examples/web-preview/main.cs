#:project ../../src/StacyVM.Sdk/StacyVM.Sdk.csproj
// A web application with a live preview: it runs in a sandbox, without network, and a browser sees it under a URL of its own.
//
//   ./stacyvm serve                                        # in another terminal
//   dotnet run examples/web-preview/main.cs -- --wait      # leaves it running until Enter is pressed; open the URL in a browser
//
// In a project of your own, `dotnet add package StacyVM.Sdk` takes the place of the first line.
using System.Runtime.CompilerServices;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

const int Port = 8000;

using var client = new StacyClient(Environment.GetEnvironmentVariable("STACYVM_URL") ?? "http://localhost:7423", Environment.GetEnvironmentVariable("STACYVM_API_KEY"));
await using Sandbox sandbox = await client.SpawnAsync(new SpawnRequest { Ttl = "30m" });
await sandbox.WriteFileAsync("/workspace/app.py", await File.ReadAllBytesAsync(Path.Combine(Here(), "app.py")));
await sandbox.StartBackgroundAsync("python3 app.py");
for (int tries = 0; !(await sandbox.PortsAsync()).Any(port => port.Port == Port); tries++)
{
    if (tries == 100)
        throw new TimeoutException("the application does not listen");
    await Task.Delay(100);
}

Console.WriteLine($"open {sandbox.GetPreviewUrl(Port)}");
// A browser finds *.localhost by itself; this client names the preview to the server's own address.
using HttpClient preview = sandbox.CreatePreviewClient(Port);
Console.WriteLine(await preview.GetStringAsync(""));
if (args.Contains("--wait"))
    Console.ReadLine();

static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
