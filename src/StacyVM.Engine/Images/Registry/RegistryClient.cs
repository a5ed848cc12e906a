using System.Net;
using System.Net.Http.Headers;
using StacyVM.Engine.Images.Oci;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Registry;

/// <summary>
/// One repository on one host, for reading. Source: OCI distribution specification. Documents are bounded; blobs are streams that can be gone on
/// with from an offset.
/// </summary>
/// <exception cref="HttpRequestException">Every member, when the host cannot be reached or refuses; its status says why.</exception>
internal sealed class RegistryClient(HttpClient http, RegistryHost host, string repository, RegistryCredentials credentials)
{
    private AuthenticationHeaderValue? _authorization;

    /// <summary>A manifest or index by tag or digest, with the digest of its bytes; held against the digest where one was asked for.</summary>
    public async Task<(OciManifest Manifest, ImageDigest Digest)> ManifestAsync(string tagOrDigest, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await GetAsync(host.At(repository, "manifests", tagOrDigest), OciManifest.Accept, 0, cancellation).ConfigureAwait(false);
        byte[] body = await ReadBoundedAsync(answer.Content, OciJson.MaxDocumentBytes, cancellation).ConfigureAwait(false);
        ImageDigest digest = ImageDigest.Of(body);
        if (ImageDigest.TryParse(tagOrDigest) is { } wanted && wanted != digest)
            throw Lying(wanted, digest);
        return (OciJson.ReadManifest(body, $"the manifest of {repository} on {host.Name}"), digest);
    }

    /// <summary>A small blob, whole and verified.</summary>
    public async Task<byte[]> DocumentAsync(ImageDigest digest, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await GetAsync(host.At(repository, "blobs", digest.ToString()), null, 0, cancellation).ConfigureAwait(false);
        byte[] body = await ReadBoundedAsync(answer.Content, OciJson.MaxDocumentBytes, cancellation).ConfigureAwait(false);
        return ImageDigest.Of(body) is var found && found == digest ? body : throw Lying(digest, found);
    }

    /// <summary>A blob from an offset on.</summary>
    /// <returns>The stream, and the offset at which it really begins: 0 where the host cannot go on.</returns>
    public async Task<(HttpResponseMessage Answer, long Offset)> BlobAsync(ImageDigest digest, long offset, CancellationToken cancellation)
    {
        HttpResponseMessage answer = await GetAsync(host.At(repository, "blobs", digest.ToString()), null, offset, cancellation).ConfigureAwait(false);
        return (answer, answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentRange?.From == offset ? offset : 0);
    }

    internal static async Task<byte[]> ReadBoundedAsync(HttpContent content, int most, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength > most)
            throw new InvalidDataException($"the answer has {content.Headers.ContentLength} bytes, and may have {most}");
        await using Stream stream = await content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var body = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and int count)
        {
            if (body.Length + count > most)
                throw new InvalidDataException($"the answer has more than {most} bytes");
            body.Write(buffer, 0, count);
        }
        return body.ToArray();
    }

    /// <summary>A token lasts for minutes only: a challenge in the middle of a pull is answered again.</summary>
    private async Task<HttpResponseMessage> GetAsync(Uri address, string? accept, long offset, CancellationToken cancellation)
    {
        HttpResponseMessage answer = await SendAsync(address, accept, offset, cancellation).ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.Unauthorized)
        {
            AuthenticationHeaderValue? better;
            using (answer)
            {
                better = await RegistryToken.AnswerAsync(
                    http, host, answer.Headers.WwwAuthenticate, repository, credentials.For(host.Name), cancellation).ConfigureAwait(false);
            }
            if (better is null)
                throw Refused(HttpStatusCode.Unauthorized);
            _authorization = better;
            answer = await SendAsync(address, accept, offset, cancellation).ConfigureAwait(false);
        }
        if (answer.IsSuccessStatusCode)
            return answer;
        using (answer)
            throw Refused(answer.StatusCode);
    }

    private Task<HttpResponseMessage> SendAsync(Uri address, string? accept, long offset, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        // Redirects, to the storage behind a registry, drop the authorization: it is not meant for them.
        request.Headers.Authorization = _authorization;
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        if (offset > 0)
            request.Headers.Range = new RangeHeaderValue(offset, null);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    private HttpRequestException Refused(HttpStatusCode status)
    {
        string reason = status switch
        {
            HttpStatusCode.Unauthorized => $"{host.Name} wants credentials for {repository}, or there is no such image: set images.auth_file",
            HttpStatusCode.Forbidden => $"{host.Name} does not let us read {repository}",
            HttpStatusCode.NotFound => $"{host.Name} has no such image",
            HttpStatusCode.TooManyRequests => $"{host.Name} limits its pulls; try again later, or set images.auth_file",
            _ => $"{host.Name} answered {(int)status}",
        };
        return new HttpRequestException(reason, null, status);
    }

    private StacyVMException Lying(ImageDigest wanted, ImageDigest found) =>
        new(ProblemKind.InvalidInput, $"{host.Name} sent something else for {wanted} of {repository}: it is {found}");
}
