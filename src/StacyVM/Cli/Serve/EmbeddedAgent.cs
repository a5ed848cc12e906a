using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Serve;

/// <summary>The static agent that travels inside this binary.</summary>
internal static class EmbeddedAgent
{
    private const string Resource = "stacyvm-agent";

    /// <exception cref="StacyVMException">This build has none.</exception>
    public static void Require()
    {
        if (typeof(EmbeddedAgent).Assembly.GetManifestResourceInfo(Resource) is null)
        {
            throw new StacyVMException(
                ProblemKind.Unsupported,
                "this binary was built without stacyvm-agent, which runs inside every sandbox; build it with: make build (or publish src/StacyVM.Agent to artifacts/agent first)");
        }
    }

    public static Stream Open() => typeof(EmbeddedAgent).Assembly.GetManifestResourceStream(Resource)
        ?? throw new InvalidOperationException("the agent has been required and is there");
}
