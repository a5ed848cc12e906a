using System.Net;
using System.Text;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Remote;

/// <summary>
/// HTTP to a service that makes sandboxes elsewhere. Its answers are hostile input: no redirect is followed, nothing is unpacked, no cookie is
/// kept, and every document has a bound. Time limits are those of each call.
/// </summary>
internal static class RemoteHttp
{
    private const int LongestText = 500;

    /// <param name="handler">Null: the network.</param>
    public static HttpClient Client(HttpMessageHandler? handler) => new(handler ?? Handler()) { Timeout = Timeout.InfiniteTimeSpan };

    public static SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        MaxResponseHeadersLength = 32,
        // An answer that is let go of closes its connection: it is by this that the other side learns of it.
        MaxResponseDrainSize = 0,
        ActivityHeadersPropagator = null,
    };

    /// <summary>The whole body, or a problem when it is longer.</summary>
    public static async Task<byte[]> ReadAsync(HttpContent content, long most, string who, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength > most)
            throw TooLong(who, most);
        Stream stream = await content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var body = new MemoryStream();
        byte[] buffer = new byte[32 * 1024];
        while (await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and int count)
        {
            if (body.Length + count > most)
                throw TooLong(who, most);
            body.Write(buffer, 0, count);
        }
        return body.ToArray();
    }

    /// <summary>What a refusal says, fit for a message: at most a few hundred characters, none of them a control, no secret among them.</summary>
    public static async Task<string> ReadTextAsync(HttpContent content, IReadOnlyList<string> secrets, CancellationToken cancellation)
    {
        byte[] start = new byte[16 * 1024];
        int count = 0;
        try
        {
            Stream stream = await content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            count = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // The status alone has to do.
        }
        return Plain(RemoteJson.MessageOf(start.AsMemory(0, count)) ?? Encoding.UTF8.GetString(start, 0, count), secrets);
    }

    /// <summary>A text of the other side, as a message may carry it.</summary>
    public static string Plain(string text, IReadOnlyList<string> secrets)
    {
        foreach (string secret in secrets)
        {
            if (secret.Length > 0)
                text = text.Replace(secret, "[secret]", StringComparison.Ordinal);
        }
        if (text.Length > LongestText)
            text = text[..LongestText] + "…";
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }

    private static StacyVMException TooLong(string who, long most) =>
        new(ProblemKind.ProviderUnavailable, $"{who} sent an answer of more than {most / 1024} KiB, which is not read");
}
