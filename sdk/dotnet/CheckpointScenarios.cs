using System.Formats.Tar;
using System.Text;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Scenarios;

public sealed class CheckpointScenarios
{
    [Fact]
    public async Task Checkpoints_carry_files_to_new_sandboxes()
    {
        string name = $"scenario-{Guid.NewGuid():n}"[..20];
        await using Sandbox parent = await Site.SpawnAsync(null, new SpawnRequest { Metadata = new() { ["task"] = "7" } });
        await parent.WriteFileAsync("/workspace/kept.txt", "kept");
        CheckpointInfo made = await parent.CheckpointAsync(name);
        Assert.Equal((name, "ready", Site.Level, parent.Id), (made.Name, made.State, made.Provider, made.SandboxId));
        Assert.Contains(await Site.Client.CheckpointsAsync(), one => one.Name == name);
        Assert.Equal(made.Id, (await Site.Client.CheckpointAsync(name)).Id);
        Assert.Equal(ProblemKind.Conflict, (await Assert.ThrowsAnyAsync<StacyVMException>(() => parent.CheckpointAsync(name))).Kind);
        await using Sandbox child = await Site.Client.SpawnAsync(new SpawnRequest { Checkpoint = name, Ttl = "5m" });
        Assert.Equal("kept", await child.ReadFileAsync("/workspace/kept.txt"));
        Assert.Equal((name, parent.Id, "7"), (child.Info!.Checkpoint, child.Info.ParentSandbox, child.Info.Metadata!["task"]));
        await Site.Client.DeleteCheckpointAsync(name);
        Assert.Equal("kept", (await child.ExecAsync("cat kept.txt")).Stdout);
        await Assert.ThrowsAsync<NotFoundException>(() => Site.Client.CheckpointAsync(name));
    }

    [Fact]
    public async Task Forks_begin_alike_and_go_apart()
    {
        await using Sandbox parent = await Site.SpawnAsync();
        await parent.WriteFileAsync("/workspace/shared.txt", "same");
        SandboxFork fork = await parent.ForkAsync(2, "5m", new Dictionary<string, string> { ["of"] = "fork" });
        Assert.Equal(3, fork.Sandboxes.Select(copy => copy.Id).Append(parent.Id).Distinct().Count());
        Assert.Empty(fork.Failures);
        foreach (Sandbox copy in fork.Sandboxes)
        {
            Assert.Equal("same", await copy.ReadFileAsync("/workspace/shared.txt"));
            Assert.Equal((parent.Id, "fork"), (copy.Info!.ParentSandbox, copy.Info.Metadata!["of"]));
            await copy.WriteFileAsync("/workspace/shared.txt", copy.Id);
        }
        foreach (Sandbox copy in fork.Sandboxes)
        {
            Assert.Equal(copy.Id, await copy.ReadFileAsync("/workspace/shared.txt"));
            await copy.DestroyAsync();
        }
        Assert.Equal("same", await parent.ReadFileAsync("/workspace/shared.txt"));
    }

    [Fact]
    public async Task Paused_sandboxes_stand_still()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.PauseAsync();
        Assert.Equal("paused", sandbox.State);
        StacyVMException refused = await Assert.ThrowsAnyAsync<StacyVMException>(() => sandbox.ExecAsync("true"));
        Assert.Equal(ProblemKind.Conflict, refused.Kind);
        Assert.Contains("resume", refused.Message, StringComparison.Ordinal);
        await sandbox.ResumeAsync();
        Assert.Equal("running", sandbox.State);
        Assert.Equal("on\n", (await sandbox.ExecAsync("echo on")).Stdout);
    }

    [Fact]
    public async Task Images_are_imported_and_removed()
    {
        string name = $"scenario-{Guid.NewGuid():n}"[..20] + ":1";
        using var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "etc/motd") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(name)) });
        archive.Position = 0;
        using StacyClient admin = Site.New(options => options with { AdminApiKey = Site.AdminKey });
        ImageInfo imported = Assert.Single(await admin.ImportImageAsync(archive, name));
        Assert.Equal([name], imported.Names);
        Assert.Contains(await admin.ImagesAsync(), image => image.Names.Contains(name));
        ImageInfo image = await admin.ImageAsync(name);
        Assert.Equal((imported.Digest, 1), (image.Digest, image.Layers));
        Assert.Equal(ProblemKind.InvalidInput, (await Assert.ThrowsAnyAsync<StacyVMException>(() => admin.PullImageAsync("127.0.0.1:1/not/there:1"))).Kind);
        Assert.True((await admin.PruneImagesAsync(unnamedOnly: true)).FreedBytes >= 0);
        await admin.RemoveImageAsync(name);
        await Assert.ThrowsAsync<NotFoundException>(() => admin.ImageAsync(name));
    }
}
