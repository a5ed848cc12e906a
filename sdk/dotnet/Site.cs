using System.Diagnostics;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Scenarios;

/// <summary>The server that scripts/test-sdks has started, and clients of it.</summary>
internal static class Site
{
    public static readonly string Url = Variable("STACYVM_TEST_URL", "");
    public static readonly string Key = Variable("STACYVM_TEST_KEY", "");
    public static readonly string AdminKey = Variable("STACYVM_TEST_ADMIN_KEY", "");
    public static readonly string Level = Variable("STACYVM_TEST_LEVEL", "bubblewrap");
    public static readonly string Image = Variable("STACYVM_TEST_IMAGE", "alpine:latest");

    public static readonly StacyClient Client = New(options => options);

    public static StacyClient New(Func<StacyClientOptions, StacyClientOptions> change) => new(change(new StacyClientOptions { BaseUrl = Url, ApiKey = Key }));

    public static Task<Sandbox> SpawnAsync(StacyClient? client = null, SpawnRequest? request = null)
    {
        request ??= new SpawnRequest();
        return (client ?? Client).SpawnAsync(request with { Image = request.Image ?? Image, Ttl = request.Ttl ?? "5m" });
    }

    /// <summary>Asks again and again until it holds.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> condition, int seconds = 20)
    {
        var patience = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(seconds), $"it did not come true within {seconds} s");
            await Task.Delay(50);
        }
    }

    /// <summary>Whether a command with these words runs in the sandbox.</summary>
    public static async Task<bool> RunsAsync(Sandbox sandbox, string marker)
    {
        string script = "for f in /proc/[0-9]*/cmdline; do tr \"\\0\" \" \" <$f 2>/dev/null; echo; done | grep -v grep | grep -c \""
            + $"{marker[0]}[{marker[1]}]{marker[2..]}\"";
        return (await sandbox.ExecAsync(script)).Stdout.Trim() != "0";
    }

    private static string Variable(string name, string fallback) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : fallback;
}
