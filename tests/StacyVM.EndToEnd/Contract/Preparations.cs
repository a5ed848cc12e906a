using System.Text.Json;
using StacyVM.EndToEnd.Server;

namespace StacyVM.EndToEnd.Contract;

/// <summary>What must be there before an operation can succeed, by the name of the operation.</summary>
internal static class Preparations
{
    private static readonly Dictionary<string, Func<ContractServer, ContractCall, Task>> Table = new()
    {
        ["spawnSandbox"] = (_, call) => Say(call, $$$"""{"provider":"{{{call.Provider}}}","ttl":"5m","owner_id":"alice","metadata":{"purpose":"contract"}}"""),
        ["getQuota"] = QuotaAsync,
        ["deleteQuota"] = QuotaAsync,
        ["adminGetQuota"] = QuotaAsync,
        ["adminDeleteQuota"] = QuotaAsync,
        ["listQuotas"] = QuotaAsync,
        ["adminListQuotas"] = QuotaAsync,
        ["createTemplate"] = (server, call) => server.SendAsync("DELETE", $"templates/{call.Operation.Body!.Value.GetProperty("name")}"),
        ["createCheckpoint"] = (_, call) => Say(call, $$"""{"name":"contract-{{Guid.NewGuid():N}}"}"""),
        ["listCheckpoints"] = CheckpointAsync,
        ["getCheckpoint"] = CheckpointAsync,
        ["deleteCheckpoint"] = CheckpointAsync,
        ["forkSandbox"] = (_, call) => Say(call, """{"count":2,"ttl":"5m"}"""),
        ["resumeSandbox"] = (server, call) => server.DoneAsync("POST", $"sandboxes/{call.Sandbox}/pause"),
        ["listTemplates"] = TemplateAsync,
        ["getTemplate"] = TemplateAsync,
        ["replaceTemplate"] = TemplateAsync,
        ["deleteTemplate"] = TemplateAsync,
        ["spawnTemplate"] = async (server, call) =>
        {
            await TemplateAsync(server, call);
            call.Body = $$"""{"provider":"{{call.Provider}}","ttl":"5m"}""";
        },
        ["importImage"] = (_, call) =>
        {
            call.Query["name"] = "contract:1";
            return Say(call, RootArchive());
        },
        ["listImages"] = ImageAsync,
        ["getImage"] = ImageAsync,
        ["removeImage"] = ImageAsync,
        ["pruneImages"] = ImageAsync,
        ["createEnvironmentSpec"] = (_, call) => Say(call, SpecBody()),
        ["listEnvironmentSpecs"] = SpecAsync,
        ["getEnvironmentSpec"] = SpecAsync,
        ["suggestEnvironmentPackages"] = SpecAsync,
        ["createEnvironmentBuild"] = async (server, call) =>
        {
            await SpecAsync(server, call);
            await Say(call, $$"""{"spec_id":"{{call.Route["id"]}}"}""");
            call.Route.Remove("id");
        },
        ["listEnvironmentBuilds"] = (server, call) => BuildAsync(server, call, 1),
        ["getEnvironmentBuild"] = (server, call) => BuildAsync(server, call, 1),
        ["getEnvironmentSpawnConfig"] = (server, call) => BuildAsync(server, call, 1),
        // Behind so many others it still waits.
        ["cancelEnvironmentBuild"] = (server, call) => BuildAsync(server, call, 40),
        ["saveRegistryConnection"] = (_, call) => Say(call, AccountBody()),
        ["listRegistryConnections"] = AccountAsync,
        ["deleteRegistryConnection"] = AccountAsync,
        ["getProcess"] = ProcessAsync,
        ["killProcess"] = ProcessAsync,
        ["signalProcess"] = ProcessAsync,
        ["listProcesses"] = ProcessAsync,
        ["getProcessOutput"] = async (server, call) =>
        {
            await StartAsync(server, call, "echo hello");
            call.Query["follow"] = "true";
        },
        ["listSandboxPorts"] = PortAsync,
        ["readFile"] = FileAsync,
        ["headReadFile"] = FileAsync,
        ["statFile"] = FileAsync,
        ["deleteFile"] = FileAsync,
        ["listFiles"] = FileAsync,
        ["globFiles"] = FileAsync,
        ["moveFile"] = FileAsync,
        ["chmodFile"] = FileAsync,
        ["uploadFile"] = (_, call) => Say(call, "uploaded"),
    };

    public static Task ApplyAsync(ContractServer server, ContractCall call) =>
        Table.TryGetValue(call.Operation.Id, out var prepare) ? prepare(server, call) : Task.CompletedTask;

    private static Task Say(ContractCall call, string body)
    {
        call.Body = body;
        return Task.CompletedTask;
    }

    private static Task QuotaAsync(ContractServer server, ContractCall call) =>
        server.DoneAsync("PUT", $"quotas/{call.Route.GetValueOrDefault("owner", "alice")}", """{"max_sandboxes":500,"max_ttl":"8h"}""");

    private static async Task TemplateAsync(ContractServer server, ContractCall call)
    {
        string name = call.Route.GetValueOrDefault("name", "contract");
        await server.SendAsync("DELETE", $"templates/{name}");
        await server.DoneAsync("POST", "templates", $$$"""{"name":"{{{name}}}","image":"host","setup":["true"],"metadata":{"a":"b"}}""");
    }

    private static async Task CheckpointAsync(ContractServer server, ContractCall call)
    {
        string name = $"contract-{Guid.NewGuid():N}";
        await server.DoneAsync("POST", $"sandboxes/{await server.SharedSandboxAsync(call.Provider)}/checkpoints", $$"""{"name":"{{name}}"}""");
        if (call.Route.ContainsKey("name"))
            call.Route["name"] = name;
    }

    private static async Task ImageAsync(ContractServer server, ContractCall call)
    {
        if (call.Route.ContainsKey("name"))
            call.Route["name"] = "contract:1";
        await server.DoneAsync("POST", "images/import?name=contract%3A1", RootArchive());
    }

    /// <summary>A root file system of one file, as tar; all of it is ASCII.</summary>
    private static string RootArchive()
    {
        using var bytes = new MemoryStream();
        using (var tar = new System.Formats.Tar.TarWriter(bytes, System.Formats.Tar.TarEntryFormat.Ustar, leaveOpen: true))
            tar.WriteEntry(new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "etc/motd") { DataStream = new MemoryStream("hello"u8.ToArray()) });
        return System.Text.Encoding.ASCII.GetString(bytes.ToArray());
    }

    private static string SpecBody() => $$"""{"owner_id":"alice","name":"{{Guid.NewGuid()}}","base_image":"python","python_packages":["pandas>=2"],"python_version":"3.12"}""";

    private static string AccountBody() => $$"""{"owner_id":"alice","provider":"ghcr","username":"u{{Guid.NewGuid():N}}","secret_ref":"hidden","is_default":true}""";

    private static async Task SpecAsync(ContractServer server, ContractCall call) =>
        call.Route["id"] = (await server.DoneAsync("POST", "environments/specs", SpecBody())).GetProperty("id").GetString()!;

    private static async Task AccountAsync(ContractServer server, ContractCall call) =>
        call.Route["id"] = (await server.DoneAsync("POST", "environments/registry-connections", AccountBody())).GetProperty("id").GetString()!;

    private static async Task BuildAsync(ContractServer server, ContractCall call, int count)
    {
        await SpecAsync(server, call);
        string body = $$"""{"spec_id":"{{call.Route["id"]}}"}""";
        for (int made = 0; made < count; made++)
            call.Route["id"] = (await server.DoneAsync("POST", "environments/builds", body)).GetProperty("id").GetString()!;
    }

    private static Task ProcessAsync(ContractServer server, ContractCall call) => StartAsync(server, call, "sleep 300");

    private static async Task StartAsync(ContractServer server, ContractCall call, string command)
    {
        JsonElement process = await server.DoneAsync(
            "POST", $"sandboxes/{call.Sandbox}/exec", JsonSerializer.Serialize(new Dictionary<string, object> { ["command"] = command, ["background"] = true }));
        call.Route["process"] = process.GetProperty("process_id").ToString();
    }

    private static async Task PortAsync(ContractServer server, ContractCall call)
    {
        await StartAsync(server, call, $"exec python3 -m http.server --bind 127.0.0.1 {(call.Provider == "mock" ? 0 : 8000)}");
        await Eventually.HoldsAsync(
            async () => (await server.DoneAsync("GET", $"sandboxes/{call.Sandbox}/ports")).GetArrayLength() > 0, "the sandbox listens", server.Server);
        call.Route.Remove("process");
    }

    private static async Task FileAsync(ContractServer server, ContractCall call)
    {
        foreach (string name in new[] { "notes.txt", "run.sh" })
            await server.DoneAsync("PUT", $"sandboxes/{call.Sandbox}/files?path=/workspace/{name}", "hello, world");
    }
}
