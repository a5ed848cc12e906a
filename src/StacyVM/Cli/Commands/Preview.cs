using System.Net;
using StacyVM.Cli.Terminal;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

/// <summary>What a sandbox serves on a port, seen through the server.</summary>
internal sealed class Preview(Sandbox sandbox, int port, string path)
{
    /// <summary>Returns when the port answers with anything but the server's own "nothing listens there".</summary>
    public async Task WaitAsync(string patience, CancellationToken cancellation)
    {
        GoDuration.TryParse(patience, out TimeSpan limit);
        using HttpClient client = sandbox.CreatePreviewClient(port);
        DateTime end = DateTime.UtcNow + limit;
        while (true)
        {
            using (HttpResponseMessage answer = await SendAsync(client, HttpCompletionOption.ResponseHeadersRead, cancellation))
            {
                if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout))
                    return;
            }
            if (DateTime.UtcNow >= end)
                throw new StacyVMException(ProblemKind.Unavailable, $"nothing answers on port {port} of {sandbox.Id} after {patience}; is it listening? See: stacyvm processes {sandbox.Id}");
            await Task.Delay(100, cancellation);
        }
    }

    /// <summary>Prints the body as it comes.</summary>
    /// <returns>0 for a success, 1 for an HTTP error, whose body is printed all the same.</returns>
    public async Task<int> FetchAsync(CancellationToken cancellation)
    {
        using HttpClient client = sandbox.CreatePreviewClient(port);
        using HttpResponseMessage answer = await SendAsync(client, HttpCompletionOption.ResponseHeadersRead, cancellation);
        using Stream output = StandardStream.Output();
        await answer.Content.CopyToAsync(output, cancellation);
        return answer.IsSuccessStatusCode ? 0 : 1;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpCompletionOption option, CancellationToken cancellation)
    {
        try
        {
            return await client.GetAsync(path.TrimStart('/'), option, cancellation);
        }
        catch (HttpRequestException fault)
        {
            throw new ConnectionException($"cannot fetch port {port} of {sandbox.Id}: {fault.Message}", fault);
        }
    }
}
