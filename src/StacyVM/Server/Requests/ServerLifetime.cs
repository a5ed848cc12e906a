namespace StacyVM.Server.Requests;

/// <summary>When streams end: with their client, or as soon as the server is told to stop.</summary>
internal sealed class ServerLifetime(IHostApplicationLifetime host)
{
    public CancellationToken Stopping => host.ApplicationStopping;

    /// <summary>Cancelled when the client goes away or the server stops.</summary>
    public CancellationTokenSource StreamOf(HttpContext context) =>
        CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, host.ApplicationStopping);
}
