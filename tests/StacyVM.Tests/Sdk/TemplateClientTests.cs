using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using StacyVM.Tests.Server;
using Xunit;

namespace StacyVM.Tests.Sdk;

public sealed class TemplateClientTests
{
    [Fact]
    public async Task A_template_is_saved_read_changed_used_and_deleted()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var client = new StacyClient($"http://127.0.0.1:{server.Port}");

        TemplateInfo saved = await client.Templates.SaveAsync(new TemplateRequest { Name = "a/1", Image = "python:3.12", Ttl = "10m", Metadata = new() { ["k"] = "v" } });
        Assert.Equal((1, "10m0s"), (saved.Version, saved.Ttl));
        Assert.Equal("a/1", (await client.Templates.GetAsync("a/1")).Name);
        Assert.Equal("a/1", Assert.Single(await client.Templates.ListAsync()).Name);
        Assert.Equal(64, (await client.Templates.UpdateAsync("a/1", new TemplateRequest { MemoryMb = 64 })).MemoryMb);

        Sandbox spawned = await client.Templates.SpawnAsync("a/1", new SpawnRequest { Ttl = "1m" });
        Assert.Equal(("python:3.12", 64, "v", "a/1"), (spawned.Image, spawned.MemoryMb, spawned.Info!.Metadata!["k"], spawned.Info.Metadata["template"]));
        Assert.Equal("python:3.12", (await client.SpawnAsync(new SpawnRequest { Template = "a/1", Image = "alpine:latest" })).Image);

        await client.Templates.DeleteAsync("a/1");
        NotFoundException gone = await Assert.ThrowsAsync<NotFoundException>(() => client.Templates.GetAsync("a/1"));
        Assert.Equal(ProblemKind.NotFound, gone.Kind);
        await Assert.ThrowsAsync<NotFoundException>(() => client.Templates.SpawnAsync("a/1"));
    }

    [Fact]
    public async Task Saving_twice_is_a_conflict_unless_it_may_replace()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var client = new StacyClient($"http://127.0.0.1:{server.Port}");
        await client.Templates.SaveAsync(new TemplateRequest { Name = "t", Image = "host", Description = "first" });

        ServerException fault = await Assert.ThrowsAsync<ServerException>(() => client.Templates.SaveAsync(new TemplateRequest { Name = "t", Image = "other" }));
        Assert.Equal(ProblemKind.Conflict, fault.Kind);

        TemplateInfo replaced = await client.Templates.SaveAsync(new TemplateRequest { Name = "t", Image = "other" }, replace: true);
        Assert.Equal(("other", "first", 2), (replaced.Image, replaced.Description, replaced.Version));
        // Only what changes has to be given.
        TemplateInfo changed = await client.Templates.SaveAsync(new TemplateRequest { Name = "t", MemoryMb = 64 }, replace: true);
        Assert.Equal(("other", 64, 3), (changed.Image, changed.MemoryMb, changed.Version));
        Assert.Equal(1, (await client.Templates.SaveAsync(new TemplateRequest { Name = "new", Image = "host" }, replace: true)).Version);
    }
}
