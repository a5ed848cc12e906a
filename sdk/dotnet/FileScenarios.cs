using System.Security.Cryptography;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using Xunit;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Scenarios;

public sealed class FileScenarios
{
    [Fact]
    public async Task Text_files_come_back_unchanged()
    {
        const string text = "Grüße, 世界, 🙂\n\ttab and \\ and \"quotes\"\n";
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.WriteFileAsync("/workspace/new/deep/näme.txt", text);
        Assert.Equal(text, await sandbox.ReadFileAsync("/workspace/new/deep/näme.txt"));
        await sandbox.WriteFileAsync("/workspace/run.sh", "echo hi", "0755");
        Assert.Equal("0755", (await sandbox.StatFileAsync("/workspace/run.sh")).Mode);
        Assert.Equal("hi\n", (await sandbox.ExecAsync("./run.sh")).Stdout);
    }

    [Fact]
    public async Task Bytes_come_back_unchanged()
    {
        byte[] data = [.. Enumerable.Range(0, 768).Select(value => (byte)value)];
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.WriteFileAsync("/workspace/data.bin", data);
        Assert.Equal(data, await sandbox.ReadFileBytesAsync("/workspace/data.bin"));
        Assert.Equal(data[250..262], await PartAsync(sandbox, 250, 12));
        Assert.Equal(data[250..], await PartAsync(sandbox, 250, null));
        Assert.Empty(await PartAsync(sandbox, 10_000, 5));
    }

    [Fact]
    public async Task Large_files_are_streamed()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        string local = Path.GetTempFileName();
        try
        {
            byte[] piece = new byte[1024 * 1024];
            using (FileStream file = File.Create(local))
            {
                for (byte number = 0; number < 24; number++)
                {
                    Array.Fill(piece, number);
                    await file.WriteAsync(piece);
                }
            }
            string sent = Convert.ToHexStringLower(await SHA256.HashDataAsync(File.OpenRead(local)));
            await sandbox.WriteFileAsync("/workspace/large.bin", File.OpenRead(local));
            Assert.StartsWith(sent, (await sandbox.ExecAsync("sha256sum large.bin")).Stdout);
            using Stream content = await sandbox.OpenReadAsync("/workspace/large.bin");
            Assert.Equal(sent, Convert.ToHexStringLower(await SHA256.HashDataAsync(content)));
        }
        finally
        {
            File.Delete(local);
        }
    }

    [Fact]
    public async Task Missing_file_is_not_found()
    {
        const string path = "/workspace/missing";
        await using Sandbox sandbox = await Site.SpawnAsync();
        Func<Task>[] calls =
        [
            () => sandbox.ReadFileAsync(path), () => sandbox.ReadFileBytesAsync(path), () => sandbox.StatFileAsync(path),
            () => sandbox.ListFilesAsync(path), () => sandbox.DeleteFileAsync(path),
        ];
        foreach (Func<Task> call in calls)
        {
            NotFoundException fault = await Assert.ThrowsAsync<NotFoundException>(call);
            Assert.Equal("NOT_FOUND", fault.Code);
            Assert.Contains(path, fault.Message);
        }
    }

    [Fact]
    public async Task Directories_are_listed_and_searched()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.MakeDirectoryAsync("/workspace/tree/sub");
        await sandbox.WriteFileAsync("/workspace/tree/b.txt", "12345");
        await sandbox.WriteFileAsync("/workspace/tree/sub/a.txt", "");
        IReadOnlyList<FileInfo> entries = await sandbox.ListFilesAsync("/workspace/tree");
        Assert.Equal(
            [("b.txt", "/workspace/tree/b.txt", false), ("sub", "/workspace/tree/sub", true)], entries.Select(entry => (entry.Name, entry.Path, entry.IsDir)));
        Assert.Equal((5, "file", "0644"), (entries[0].Size, entries[0].Type, entries[0].Mode));
        Assert.True((await sandbox.StatFileAsync("/workspace/tree")).IsDir);
        IReadOnlyList<string> found = await sandbox.GlobFilesAsync("/workspace/tree/**/*.txt");
        Assert.Equal(["/workspace/tree/b.txt", "/workspace/tree/sub/a.txt"], found.Order(StringComparer.Ordinal));
        Assert.Empty(await sandbox.GlobFilesAsync("/workspace/tree/*.none"));
    }

    [Fact]
    public async Task Files_are_moved_changed_and_deleted()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.WriteFileAsync("/workspace/old.txt", "x");
        await sandbox.MoveFileAsync("/workspace/old.txt", "/workspace/there/new.txt");
        await sandbox.ChmodFileAsync("/workspace/there/new.txt", "600");
        Assert.Equal("0600", (await sandbox.StatFileAsync("/workspace/there/new.txt")).Mode);
        ServerException fault = await Assert.ThrowsAsync<ServerException>(() => sandbox.DeleteFileAsync("/workspace/there"));
        Assert.Equal(("CONFLICT", 409), (fault.Code, fault.StatusCode));
        await sandbox.DeleteFileAsync("/workspace/there/new.txt");
        await sandbox.WriteFileAsync("/workspace/there/again.txt", "x");
        await sandbox.DeleteFileAsync("/workspace/there", recursive: true);
        foreach (string path in new[] { "/workspace/old.txt", "/workspace/there" })
            await Assert.ThrowsAsync<NotFoundException>(() => sandbox.StatFileAsync(path));
    }

    [Fact]
    public async Task Many_sandboxes_at_once()
    {
        string[] ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            await using Sandbox sandbox = await Site.SpawnAsync();
            Assert.Equal($"{number}\n", (await sandbox.ExecAsync($"echo {number}")).Stdout);
            await sandbox.WriteFileAsync("/workspace/number", $"{number}");
            Assert.Equal($"{number}", await sandbox.ReadFileAsync("/workspace/number"));
            return sandbox.Id;
        }));
        Assert.Equal(8, ids.Distinct().Count());
        Assert.DoesNotContain(await Site.Client.ListAsync(), info => ids.Contains(info.Id));
    }

    private static async Task<byte[]> PartAsync(Sandbox sandbox, long offset, long? length)
    {
        using Stream content = await sandbox.OpenReadAsync("/workspace/data.bin", offset, length);
        using var whole = new MemoryStream();
        await content.CopyToAsync(whole);
        return whole.ToArray();
    }
}
