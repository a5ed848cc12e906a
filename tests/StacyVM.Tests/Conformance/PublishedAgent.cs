using Xunit;

namespace StacyVM.Tests.Conformance;

/// <summary>The static agent as it ships. Without it nothing here means anything, so its absence is a failure.</summary>
internal static class PublishedAgent
{
    private static readonly string? Found = Find();

    public static Stream Open()
    {
        Assert.True(Found is not null, "publish the agent first: dotnet publish src/StacyVM.Agent -c Release -o artifacts/agent");
        return File.OpenRead(Found!);
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("STACYVM_AGENT_BINARY") is { Length: > 0 } named)
            return File.Exists(named) ? named : null;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string path = Path.Combine(at.FullName, "artifacts", "agent", "stacyvm-agent");
            if (File.Exists(path))
                return path;
        }
        return null;
    }
}
