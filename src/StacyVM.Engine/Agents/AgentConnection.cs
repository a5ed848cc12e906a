namespace StacyVM.Engine.Agents;

/// <summary>The host's half of one connection to an agent.</summary>
internal sealed class AgentConnection
{
}
