using System.Text;
using System.Text.Json;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Environments;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;
using StacyVM.Tests.Providers.Docker;
using StacyVM.Tests.Server;
using StacyVM.Tests.Server.Scripted;
using Xunit;

namespace StacyVM.Tests.Environments;

/// <summary>Builds on a real engine. Its base image has an apt-get, a pip and a python3 that write down what they are called with.</summary>
[Collection(DockerTests.Name)]
public sealed class EnvironmentBuildTests(ThrowawayDaemon daemon)
{
    private const string Base = "stacyvm-test/packages:1";

    private const string Record = "#!/bin/sh\nfor a in \"$@\"; do echo \"$(basename \"$0\")<$a>\"; done\n";

    [Fact]
    public async Task A_build_installs_what_the_spec_says_and_knows_size_and_digest()
    {
        daemon.Require();
        await ImportBaseAsync(slow: false);
        await using RunningServer server = await EnvironmentApi.StartAsync(daemon.Socket);
        string spec = await server.SpecAsync("Data Tools", Base, ""","python_packages":["pandas[excel]>=2,<3","x==1.*"],"apt_packages":["g++","curl=7.88.1-10"],"python_version":"3.12" """);
        string id = await server.BuildAsync(spec);
        JsonElement build = await server.FinishedAsync(id);
        Assert.True(build.GetProperty("status").GetString() == "ready", build.ToString());
        string[] log = build.GetProperty("log").GetString()!.Split('\n');
        foreach (string line in new[] { "pip<pandas[excel]>=2,<3>", "pip<x==1.*>", "apt-get<g++>", "apt-get<curl=7.88.1-10>", "apt-get<update>", "== docker_build", "ready" })
            Assert.Contains(line, log);
        ImageInspectResponse image = await daemon.Client.Images.InspectImageAsync($"local/stacyvm-env:data-tools-{id[..8]}");
        Assert.Equal(image.Size, build.GetProperty("image_size_bytes").GetInt64());
        Assert.Equal(image.ID, build.GetProperty("digest_local").GetString());
        Assert.Equal("/workspace", image.Config!.WorkingDir);
        Assert.DoesNotContain(image.Config!.Env!, variable => variable.StartsWith("PIP_", StringComparison.Ordinal) || variable.StartsWith("DEBIAN_", StringComparison.Ordinal));
        JsonElement spawn = (await server.SendAsync(HttpMethod.Get, $"environments/builds/{id}/spawn-config")).Body;
        Assert.Equal(["build_id", "build_status", "ready", "provider", "image", "target", "digest", "note"], spawn.EnumerateObject().Select(field => field.Name));
        Assert.True(spawn.GetProperty("ready").GetBoolean());
        Assert.Equal($"local/stacyvm-env:data-tools-{id[..8]}", spawn.GetProperty("image").GetString());
        Assert.Equal(image.ID, spawn.GetProperty("digest").GetString());
    }

    [Fact]
    public async Task A_build_that_fails_says_why_and_leaves_nothing()
    {
        daemon.Require();
        await ImportBaseAsync(slow: false);
        await using RunningServer server = await EnvironmentApi.StartAsync(daemon.Socket);
        string wrongVersion = await server.BuildAsync(await server.SpecAsync("old", Base, ""","python_version":"3.11" """));
        string noPackage = await server.BuildAsync(await server.SpecAsync("none", Base, ""","apt_packages":["broken"]"""));
        JsonElement first = await server.FinishedAsync(wrongVersion);
        JsonElement second = await server.FinishedAsync(noPackage);
        Assert.Equal("failed", first.GetProperty("status").GetString());
        Assert.Contains("the image has another Python", first.GetProperty("log").GetString());
        Assert.Equal("failed", second.GetProperty("status").GetString());
        Assert.Contains("returned a non-zero code: 7", second.GetProperty("error").GetString());
        Assert.Empty(await RemainsAsync(wrongVersion));
        Assert.Empty(await RemainsAsync(noPackage));
    }

    [Fact]
    public async Task Cancel_ends_the_work_on_the_engine_and_stays_the_last_word()
    {
        daemon.Require();
        await ImportBaseAsync(slow: true);
        await using RunningServer server = await EnvironmentApi.StartAsync(daemon.Socket);
        string id = await server.BuildAsync(await server.SpecAsync("slow", Base, ""","apt_packages":["curl"]"""));
        // What it says is to be read while it runs.
        await server.UntilAsync(id, build => build.GetProperty("log").GetString()!.Contains("sleeps"));
        Assert.NotEmpty(await RemainsAsync(id));
        (int status, JsonElement canceled) = await server.SendAsync(HttpMethod.Post, $"environments/builds/{id}/cancel");
        Assert.Equal(200, status);
        Assert.Equal("canceled", canceled.GetProperty("status").GetString());
        Assert.Equal(409, (await server.SendAsync(HttpMethod.Post, $"environments/builds/{id}/cancel")).Status);
        long deadline = Environment.TickCount64 + 120_000;
        while ((await RemainsAsync(id)).Count > 0)
        {
            Assert.True(Environment.TickCount64 < deadline, "the engine still has something of it");
            await Task.Delay(200);
        }
        Assert.Equal("canceled", (await server.GetAsync(id)).GetProperty("status").GetString());
        Assert.Equal("failed", (await server.GetAsync(id)).GetProperty("artifacts")[0].GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_restart_takes_up_what_waits_and_starts_again_what_ran()
    {
        daemon.Require();
        await ImportBaseAsync(slow: true);
        string directory = Directory.CreateTempSubdirectory("stacyvm-env-").FullName;
        string[] ids;
        await using (StacyEngine engine = await OpenAsync(directory))
        {
            EnvironmentSpec spec = await engine.EnvironmentSpecs.CreateAsync(
                new EnvironmentSpecRequest { OwnerId = "alice", Name = "again", BaseImage = Base, AptPackages = ["curl"] }, Caller.System);
            ids = [.. await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
                (await engine.EnvironmentBuilds.CreateAsync(new EnvironmentBuildRequest { SpecId = spec.Id }, Caller.System, default)).Id))];
            await UntilAsync(async () => (await StatusesAsync(engine, ids)).Count(status => status == "building") == 2);
            await UntilAsync(async () => (await LogsAsync(engine, ids)).Count(log => log.Contains("sleeps", StringComparison.Ordinal)) == 2);
        }
        await ImportBaseAsync(slow: false);
        await using (StacyEngine engine = await OpenAsync(directory))
        {
            await UntilAsync(async () => (await StatusesAsync(engine, ids)).All(BuildStatus.IsFinal));
            Assert.All(await StatusesAsync(engine, ids), status => Assert.Equal("ready", status));
            Assert.Equal(2, (await LogsAsync(engine, ids)).Count(log => log.Contains("the server was restarted", StringComparison.Ordinal)));
        }
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_push_takes_the_owners_account_and_one_failed_target_leaves_the_others()
    {
        daemon.Require();
        await ImportBaseAsync(slow: false);
        await using LoopbackRegistry registry = await LoopbackRegistry.StartAsync();
        var hosts = new Dictionary<string, string> { ["ghcr"] = registry.Host, ["dockerhub"] = registry.Host };
        string directory = Directory.CreateTempSubdirectory("stacyvm-env-").FullName;
        await using RunningServer server = await EnvironmentApi.StartAsync(daemon.Socket, directory, hosts);
        await ConnectAsync(server, "ghcr", "somebody", "wrong-canary-3Zk");
        await ConnectAsync(server, "ghcr", LoopbackRegistry.User, LoopbackRegistry.Password, isDefault: true);
        string spec = await server.SpecAsync("pushed", Base, ""","python_packages":["x"]""");

        string id = await server.BuildAsync(spec, """["ghcr","local"]""");
        JsonElement build = await server.FinishedAsync(id);
        Assert.True(build.GetProperty("status").GetString() == "ready", build.ToString());
        JsonElement pushed = build.GetProperty("artifacts")[0];
        Assert.Equal($"{registry.Host}/ada/stacyvm-env:pushed-{id[..8]}", pushed.GetProperty("image_ref").GetString());
        Assert.Equal(await registry.DigestAsync("ada/stacyvm-env", $"pushed-{id[..8]}"), pushed.GetProperty("digest").GetString());

        await ConnectAsync(server, "dockerhub", "intruder", "wrong-canary-3Zk");
        string half = await server.BuildAsync(spec, """["dockerhub","ghcr","local"]""");
        JsonElement failed = await server.FinishedAsync(half);
        Assert.Equal("failed", failed.GetProperty("status").GetString());
        Assert.StartsWith("dockerhub: ", failed.GetProperty("error").GetString());
        Assert.Equal(["failed", "ready", "ready"], failed.GetProperty("artifacts").EnumerateArray().Select(artifact => artifact.GetProperty("status").GetString()));
        JsonElement spawn = (await server.SendAsync(HttpMethod.Get, $"environments/builds/{half}/spawn-config")).Body;
        Assert.Equal("local", spawn.GetProperty("target").GetString());
        Assert.True(spawn.GetProperty("ready").GetBoolean());

        await server.Engine.Store.FlushAsync();
        string everything = build.ToString() + failed + server.Log.Text
            + string.Concat(Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) is not ("server.lock" or "stacyvm-agent")).Select(file => File.ReadAllText(file, Encoding.Latin1)));
        Assert.DoesNotContain(LoopbackRegistry.Password, everything);
        Assert.DoesNotContain("wrong-canary-3Zk", everything);
    }

    [Fact]
    public async Task A_target_without_an_account_fails_and_says_what_to_do()
    {
        daemon.Require();
        await ImportBaseAsync(slow: false);
        await using RunningServer server = await EnvironmentApi.StartAsync(daemon.Socket);
        JsonElement build = await server.FinishedAsync(await server.BuildAsync(await server.SpecAsync("alone", Base), """["dockerhub"]"""));
        Assert.Equal("failed", build.GetProperty("status").GetString());
        Assert.Contains("/environments/registry-connections", build.GetProperty("artifacts")[0].GetProperty("error").GetString());
    }

    private static async Task ConnectAsync(RunningServer server, string provider, string user, string secret, bool isDefault = false)
    {
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "environments/registry-connections",
            $$"""{"owner_id":"alice","provider":"{{provider}}","username":"{{user}}","secret_ref":"{{secret}}","is_default":{{(isDefault ? "true" : "false")}}}""");
        Assert.True(status == 201, $"{status} {answer}");
    }

    /// <summary>Containers and images of a build, dangling ones too.</summary>
    private async Task<List<string>> RemainsAsync(string id)
    {
        IDictionary<string, IDictionary<string, bool>> label = new Dictionary<string, IDictionary<string, bool>>
        {
            ["label"] = new Dictionary<string, bool> { [$"stacyvm.build={id}"] = true },
        };
        IList<ContainerListResponse> containers = await daemon.Client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = label });
        IList<ImagesListResponse> images = await daemon.Client.Images.ListImagesAsync(new ImagesListParameters { All = true, Filters = label });
        return [.. containers.Select(container => container.ID), .. images.Select(image => image.ID)];
    }

    private Task ImportBaseAsync(bool slow) => TestImages.ImportAsync(daemon.Client, Base, ["ENV PATH=/usr/bin:/bin"], tar =>
    {
        TestImages.System(tar);
        string more = slow ? "echo sleeps\nsleep 600\n" : "case \"$*\" in *broken*) exit 7;; esac\n";
        Add("usr/bin/apt-get", Record + more);
        Add("usr/bin/pip", Record);
        Add("usr/bin/python3", Record + "[ \"$3\" = 3.12 ] || { echo the image has another Python; exit 1; }\n");

        void Add(string name, string text) => tar.WriteEntry(TestImages.File_(name, Encoding.ASCII.GetBytes(text), TestImages.Program));
    });

    private Task<StacyEngine> OpenAsync(string directory) => StacyEngine.OpenAsync(
        new StacyOptions { DataDir = directory, Providers = new ProvidersOptions { Default = "scripted", Docker = new DockerOptions { Socket = daemon.Socket } } },
        () => Stream.Null, NullLoggerFactory.Instance, providers: [(_, _) => new ScriptedProvider()]);

    private static Task<string[]> StatusesAsync(StacyEngine engine, string[] ids) =>
        Task.WhenAll(ids.Select(async id => (await engine.EnvironmentBuilds.GetAsync(id, Caller.System, default)).Status));

    private static Task<string[]> LogsAsync(StacyEngine engine, string[] ids) =>
        Task.WhenAll(ids.Select(async id => (await engine.EnvironmentBuilds.GetAsync(id, Caller.System, default)).Log));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long deadline = Environment.TickCount64 + 180_000;
        while (!await condition())
        {
            Assert.True(Environment.TickCount64 < deadline, "it did not become true");
            await Task.Delay(100);
        }
    }
}
