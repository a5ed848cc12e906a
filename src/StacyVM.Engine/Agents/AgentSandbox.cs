namespace StacyVM.Engine.Agents;

/// <summary>A sandbox that is worked through its agent.</summary>
internal sealed class AgentSandbox
{
}
