using System.Net;
using System.Net.Sockets;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Scenarios;

public sealed class LifeScenarios
{
    [Fact]
    public async Task Health_tells_the_version()
    {
        HealthInfo health = await Site.Client.HealthAsync();
        Assert.Equal("ok", health.Status);
        Assert.False(string.IsNullOrEmpty(health.Version) || string.IsNullOrEmpty(health.Uptime));
        Assert.Equal("ready", (await Site.Client.ReadyAsync()).Status);
        Assert.Contains(await Site.Client.ProvidersAsync(), provider => provider.Name == Site.Level && provider.Healthy);
        Assert.Equal(Site.Level, (await Site.Client.ProviderAsync(Site.Level)).Name);
    }

    [Fact]
    public async Task Spawn_runs_until_destroyed()
    {
        Sandbox sandbox = await Site.SpawnAsync();
        Assert.Equal(("running", Site.Level), (sandbox.State, sandbox.Provider));
        Assert.Contains(await Site.Client.ListAsync(), info => info.Id == sandbox.Id);
        Assert.Equal(sandbox.Id, (await Site.Client.GetAsync(sandbox.Id)).Id);
        await sandbox.DestroyAsync();
        Assert.Equal("destroyed", sandbox.State);
        Assert.DoesNotContain(await Site.Client.ListAsync(), info => info.Id == sandbox.Id);
    }

    [Fact]
    public async Task Spawn_carries_owner_and_metadata()
    {
        using StacyClient ada = Site.New(options => options with { UserId = "ada" });
        await using Sandbox sandbox = await Site.SpawnAsync(ada, new SpawnRequest { MemoryMb = 256, Vcpus = 1, Metadata = new() { ["task"] = "7" } });
        SandboxInfo info = (await sandbox.RefreshAsync()).Info!;
        Assert.Equal(("ada", 256, 1), (info.OwnerId, info.MemoryMb, info.Vcpus));
        Assert.Equal("7", info.Metadata!["task"]);
    }

    [Fact]
    public async Task Scope_destroys_even_after_a_failure()
    {
        string id = "";
        await Assert.ThrowsAsync<DivideByZeroException>(() => Site.Client.WithSandboxAsync(new SpawnRequest { Image = Site.Image }, (Sandbox sandbox) =>
        {
            id = sandbox.Id;
            throw new DivideByZeroException();
        }));
        await Assert.ThrowsAsync<SandboxNotFoundException>(() => Site.Client.GetAsync(id));
    }

    [Fact]
    public async Task Extend_moves_the_expiry()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.ExtendTtlAsync("2h");
        for (int time = 0; time < 2; time++)
        {
            Assert.InRange(sandbox.ExpiresAt!.Value.ToUniversalTime() - DateTime.UtcNow, TimeSpan.FromMinutes(118), TimeSpan.FromMinutes(121));
            await sandbox.RefreshAsync();
        }
    }

    [Fact]
    public async Task Expired_sandbox_is_not_found()
    {
        Sandbox sandbox = await Site.SpawnAsync(request: new SpawnRequest { Ttl = "1s" });
        await Site.EventuallyAsync(async () =>
        {
            try
            {
                await Site.Client.GetAsync(sandbox.Id);
                return false;
            }
            catch (SandboxNotFoundException fault)
            {
                return fault.SandboxId == sandbox.Id;
            }
        });
    }

    [Fact]
    public async Task Destroyed_sandbox_is_not_found()
    {
        Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.DestroyAsync();
        await sandbox.DestroyAsync();
        Func<Task>[] calls =
        [
            () => sandbox.ExecAsync("true"), () => sandbox.RefreshAsync(), () => sandbox.ReadFileAsync("/etc/passwd"), () => sandbox.ExtendTtlAsync(),
            () => Site.Client.GetAsync(sandbox.Id),
        ];
        foreach (Func<Task> call in calls)
        {
            SandboxNotFoundException fault = await Assert.ThrowsAsync<SandboxNotFoundException>(call);
            Assert.Equal((sandbox.Id, "NOT_FOUND", 404), (fault.SandboxId, fault.Code, fault.StatusCode));
        }
    }

    [Fact]
    public async Task Preview_shows_what_the_sandbox_serves()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.WriteFileAsync("/workspace/site/index.html", "<h1>hello</h1>");
        await sandbox.StartBackgroundAsync("busybox httpd -f -p 8000 -h /workspace/site");
        await Site.EventuallyAsync(async () => (await sandbox.PortsAsync()).Any(port => port.Port == 8000));
        Assert.StartsWith($"http://8000-{sandbox.Id}.", sandbox.GetPreviewUrl(8000));
        using HttpClient preview = sandbox.CreatePreviewClient(8000);
        Assert.Equal("<h1>hello</h1>", await preview.GetStringAsync(new Uri("/", UriKind.Relative)));
        Assert.StartsWith("https://8000-", sandbox.GetPreviewUrl(8000, "https"));
    }

    [Fact]
    public async Task Errors_carry_code_status_and_text()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        ServerException bad = await Assert.ThrowsAsync<ServerException>(() => Site.SpawnAsync(request: new SpawnRequest { Ttl = "soon" }));
        Assert.Equal(("BAD_REQUEST", 400), (bad.Code, bad.StatusCode));
        Assert.Contains("soon", bad.Message);
        Assert.NotNull(bad.RequestId);
        NotFoundException missing = await Assert.ThrowsAsync<NotFoundException>(() => Site.SpawnAsync(request: new SpawnRequest { Provider = "nosuch" }));
        Assert.Equal(("NOT_FOUND", 404), (missing.Code, missing.StatusCode));
        Assert.Contains("nosuch", missing.Message);
        var tooLong = new ExecOptions { Timeout = TimeSpan.FromHours(1000) };
        ServerException limit = await Assert.ThrowsAsync<ServerException>(() => sandbox.ExecAsync("true", tooLong));
        Assert.Equal(("RESOURCE_LIMIT", 429), (limit.Code, limit.StatusCode));
        using StacyClient stranger = Site.New(options => options with { ApiKey = "wrong" });
        ServerException refused = await Assert.ThrowsAsync<ServerException>(() => stranger.ListAsync());
        Assert.Equal(("UNAUTHORIZED", 401), (refused.Code, refused.StatusCode));
    }

    [Fact]
    public async Task Unreachable_server_is_a_connection_error()
    {
        string url;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            url = "http://" + listener.LocalEndpoint;
        }
        using StacyClient lost = Site.New(options => options with { BaseUrl = url });
        Sandbox sandbox = lost.Refer("sb-00000000");
        Func<Task>[] calls =
        [
            () => lost.ListAsync(), () => lost.HealthAsync(), () => lost.SpawnAsync(), () => lost.Templates.ListAsync(), () => sandbox.ExecAsync("true"),
            () => sandbox.ReadFileAsync("/x"), () => sandbox.WriteFileAsync("/x", "x"), () => sandbox.OpenSessionAsync("true"),
            () => sandbox.ExecStreamAsync("true").GetAsyncEnumerator().MoveNextAsync().AsTask(),
            () => lost.EventsAsync().GetAsyncEnumerator().MoveNextAsync().AsTask(),
        ];
        foreach (Func<Task> call in calls)
            Assert.Contains(url, (await Assert.ThrowsAsync<ConnectionException>(call)).Message);
    }

    [Fact]
    public async Task Silent_server_is_a_timeout_error()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using StacyClient lost = Site.New(options => options with { BaseUrl = "http://" + listener.LocalEndpoint, ResponseTimeout = TimeSpan.FromMilliseconds(300) });
        Func<Task>[] calls = [() => lost.ListAsync(), () => lost.GetAsync("sb-00000000"), () => lost.Refer("sb-00000000").StatFileAsync("/x")];
        foreach (Func<Task> call in calls)
            Assert.IsAssignableFrom<ConnectionException>(await Assert.ThrowsAsync<ServerTimeoutException>(call));
    }

    [Fact]
    public async Task Admission_decides_without_spawning()
    {
        SpawnAdmissionDecision allowed = await Site.Client.AdmissionAsync(new SpawnRequest { Ttl = "10m", OwnerId = "admission-dotnet" });
        Assert.True(allowed.Allowed && string.IsNullOrEmpty(allowed.Reason));
        SpawnAdmissionDecision refused = await Site.Client.AdmissionAsync(new SpawnRequest { Ttl = "9000h", OwnerId = "admission-dotnet" });
        Assert.Equal((false, "max_ttl"), (refused.Allowed, refused.Reason));
        Assert.DoesNotContain(await Site.Client.ListAsync(), info => info.OwnerId == "admission-dotnet");
    }

    [Fact]
    public async Task Quotas_bound_an_owner()
    {
        const string owner = "owner-dotnet";
        using StacyClient admin = Site.New(options => options with { AdminApiKey = Site.AdminKey });
        using StacyClient bounded = Site.New(options => options with { UserId = owner });
        QuotaSummary before = await admin.QuotaSummaryAsync();
        try
        {
            QuotaInfo saved = await admin.SaveQuotaAsync(owner, new QuotaRequest { MaxSandboxes = 1, MaxTtl = "1h" });
            Assert.Equal((owner, 1, "1h0m0s"), (saved.OwnerId, saved.MaxSandboxes, saved.MaxTtl));
            Assert.Equal(before.Total + 1, (await admin.QuotaSummaryAsync()).Total);
            Assert.Contains(await admin.QuotasAsync(), quota => quota.OwnerId == owner);
            await using Sandbox first = await Site.SpawnAsync(bounded);
            ServerException fault = await Assert.ThrowsAsync<ServerException>(() => Site.SpawnAsync(bounded));
            Assert.Equal("RESOURCE_LIMIT", fault.Code);
            QuotaUsage usage = await admin.QuotaUsageAsync(owner);
            Assert.Equal((1, 1, true), (usage.ActiveSandboxes, usage.MaxSandboxes, usage.QuotaConfigured));
        }
        finally
        {
            await admin.DeleteQuotaAsync(owner);
        }
        await Assert.ThrowsAsync<NotFoundException>(() => admin.QuotaAsync(owner));
    }

    [Fact]
    public async Task Templates_are_saved_and_spawned()
    {
        const string name = "dotnet/a 1";
        using StacyClient admin = Site.New(options => options with { AdminApiKey = Site.AdminKey });
        var template = new TemplateRequest
        {
            Name = name,
            Image = Site.Image,
            MemoryMb = 256,
            Vcpus = 1,
            Ttl = "10m",
            Metadata = new() { ["team"] = "a" },
            Env = new() { ["COLOR"] = "blue" },
        };
        try
        {
            await admin.Templates.SaveAsync(template);
            TemplateInfo saved = await admin.Templates.GetAsync(name);
            Assert.Equal((Site.Image, 256, 1, "a"), (saved.Image, saved.MemoryMb, saved.Vcpus, saved.Metadata!["team"]));
            Assert.Contains(await admin.Templates.ListAsync(), one => one.Name == name);
            ServerException fault = await Assert.ThrowsAsync<ServerException>(() => admin.Templates.SaveAsync(template));
            Assert.Equal("CONFLICT", fault.Code);
            await admin.Templates.SaveAsync(template with { MemoryMb = 300 }, replace: true);
            await using Sandbox sandbox = await admin.Templates.SpawnAsync(name);
            Assert.Equal((name, 300), (sandbox.Info!.Metadata!["template"], sandbox.MemoryMb));
            Assert.Equal("blue\n", (await sandbox.ExecAsync("echo $COLOR")).Stdout);
        }
        finally
        {
            await admin.Templates.DeleteAsync(name);
        }
        await Assert.ThrowsAsync<NotFoundException>(() => admin.Templates.GetAsync(name));
    }

    [Fact]
    public async Task Events_are_delivered_and_resumed()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var seen = new List<EventMessage>();
        await using IAsyncEnumerator<EventMessage> events = Site.Client.EventsAsync(null, patience.Token).GetAsyncEnumerator(patience.Token);
        // Subscribed once an event has come: this one is of no interest.
        ValueTask<bool> next = events.MoveNextAsync();
        while (!next.IsCompleted)
            await (await Site.SpawnAsync()).DisposeAsync();
        Assert.True(await next);
        Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.DestroyAsync();
        while (await events.MoveNextAsync())
        {
            if (events.Current.SandboxId == sandbox.Id)
                seen.Add(events.Current);
            if (seen.Count > 0 && seen[^1].Type == "sandbox.destroyed")
                break;
        }
        Assert.Equal(["sandbox.created", "sandbox.running", "sandbox.destroyed"], seen.Select(one => one.Type));
        var again = new List<string>();
        await foreach (EventMessage one in Site.Client.EventsAsync(new EventFilter { SandboxId = sandbox.Id, AfterId = seen[0].Id }, patience.Token))
        {
            again.Add(one.Type);
            if (again.Count == 2)
                break;
        }
        Assert.Equal(["sandbox.running", "sandbox.destroyed"], again);
    }

    [Fact]
    public async Task Stats_logs_and_pool_answer()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        SandboxStats stats = await sandbox.StatsAsync();
        Assert.True(stats.Supported && stats.MemBytes > 0 && stats.MemLimitBytes > 0);
        Assert.NotNull(await sandbox.LogsAsync(10));
        Assert.False((await Site.Client.PoolStatusAsync()).Enabled);
        Assert.True(await Site.Client.PruneAsync() >= 0);
    }
}
