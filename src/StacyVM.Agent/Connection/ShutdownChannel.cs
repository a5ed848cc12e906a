using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>The host's last request: answered first, then done.</summary>
internal sealed class ShutdownChannel(AgentConnection connection, uint number, Action shutdown) : Channel(connection, number)
{
    internal override void OnOpened()
    {
        Close(AgentStatus.Ok);
        shutdown();
    }

    internal override void OnCancel()
    {
    }

    internal override void OnLost()
    {
    }
}
