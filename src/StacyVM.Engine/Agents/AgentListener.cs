namespace StacyVM.Engine.Agents;

/// <summary>A Unix socket on which one sandbox's agent dials in.</summary>
internal sealed class AgentListener
{
}
