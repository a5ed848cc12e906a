using System.Text;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>A canary in every place where a secret passes; afterwards it stands nowhere it should not.</summary>
public sealed class SecretTests
{
    [Fact]
    public async Task Keys_and_environment_values_reach_neither_log_nor_data_directory_nor_any_answer()
    {
        const string canary = "canary-7f3a9c51d2e84b60";
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new()
        {
            ["STACYVM_AUTH_API_KEY"] = canary + "-client-key-of-enough-length",
            ["STACYVM_AUTH_ADMIN_API_KEY"] = canary + "-admin-key-of-enough-length",
        });
        server.Http.DefaultRequestHeaders.Add("X-API-Key", canary + "-client-key-of-enough-length");
        string id = await server.SpawnAsync();
        await server.PostAsync($"sandboxes/{id}/exec",
            $$"""{"command":"true {{canary}}-command","env":{"SECRET":"{{canary}}-env"},"stdin":"{{canary}}-stdin"}""");
        using var wrong = new HttpRequestMessage(HttpMethod.Get, $"sandboxes?token={canary}-query");
        wrong.Headers.Add("X-Admin-API-Key", canary + "-wrong");
        (await server.Http.SendAsync(wrong)).Dispose();
        var answers = new StringBuilder();
        foreach (string path in new[] { "health", "ready", "providers", "providers/bubblewrap", "sandboxes", $"sandboxes/{id}", $"sandboxes/{id}/logs", $"sandboxes/{id}/stats" })
            answers.Append(await server.Http.GetStringAsync(path));

        Assert.DoesNotContain(canary, answers.ToString());
        Assert.DoesNotContain(canary, server.Log);
        // The audit row keeps what was run; keys, environment and input never reach a file.
        foreach (string file in Directory.EnumerateFiles(server.DataDirectory, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint }))
        {
            if (!File.GetUnixFileMode(file).HasFlag(UnixFileMode.UserRead) || new FileInfo(file) is { Length: 0 })
                continue;
            string content = Encoding.Latin1.GetString(await ReadSharedAsync(file));
            Assert.False(content.Contains(canary + "-env", StringComparison.Ordinal), file);
            Assert.False(content.Contains(canary + "-stdin", StringComparison.Ordinal), file);
            Assert.False(content.Contains("-key-of-enough-length", StringComparison.Ordinal), file);
            Assert.False(content.Contains(canary + "-query", StringComparison.Ordinal), file);
        }
    }

    [Fact]
    public async Task A_command_sees_nothing_of_the_server_or_the_agent()
    {
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["HOST_CANARY"] = "host-canary-value" });
        string id = await server.SpawnAsync();
        string environment = await server.OutputAsync(id, "env; cat /proc/1/environ 2>/dev/null; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'");
        Assert.DoesNotContain("host-canary-value", environment);
        Assert.DoesNotContain("STACYVM_AGENT_TOKEN", environment);
        Assert.DoesNotContain(server.DataDirectory, environment);
        Assert.Equal("0\n1\n2\n", await server.OutputAsync(id, "python3 -c \"import os\nfor fd in range(3, 64):\n  try: os.fstat(fd)\n  except OSError: continue\n  print('leak', fd, os.readlink('/proc/self/fd/%d' % fd))\nprint('0\\n1\\n2')\""));
    }

    // The server has its database open; a plain read would ask for exclusive access.
    private static async Task<byte[]> ReadSharedAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
