using System.Net;
using StacyVM.Engine.Configuration;

namespace StacyVM.Engine.Images.Registry;

/// <summary>One server that answers for a registry: the registry itself or a mirror of it.</summary>
/// <param name="Address">Its base, ending in <c>/v2/</c>.</param>
/// <param name="Name">Under which its credentials are kept.</param>
/// <param name="Plain">Spoken to without TLS.</param>
internal sealed record RegistryHost(Uri Address, string Name, bool Plain)
{
    private const string HubAddress = "registry-1.docker.io";

    /// <summary>Who is asked for an image, in this order: mirrors first.</summary>
    public static IReadOnlyList<RegistryHost> For(ImageReference image, ImageOptions options)
    {
        List<RegistryHost> hosts = [];
        if (options.Mirrors.TryGetValue(image.Registry, out string? mirrors))
        {
            foreach (string mirror in mirrors.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (Uri.TryCreate(mirror.TrimEnd('/') + "/v2/", UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https")
                    hosts.Add(new RegistryHost(address, address.Authority, address.Scheme == "http"));
            }
        }
        string host = image.Registry == ImageReference.DockerHub ? HubAddress : image.Registry;
        bool plain = options.InsecureRegistries.Contains(image.Registry, StringComparer.OrdinalIgnoreCase);
        hosts.Add(new RegistryHost(new Uri($"{(plain ? "http" : "https")}://{host}/v2/"), image.Registry, plain));
        return hosts;
    }

    /// <summary>True for a place to which a token may be asked of, and credentials sent: over TLS, or where none was wished.</summary>
    public bool Trusts(Uri realm) => realm.Scheme == Uri.UriSchemeHttps || (Plain && realm.Scheme == Uri.UriSchemeHttp);

    /// <summary>The address of a document or blob of a repository.</summary>
    public Uri At(string repository, string kind, string what) => new(Address, $"{repository}/{kind}/{WebUtility.UrlEncode(what).Replace("%3A", ":", StringComparison.Ordinal)}");
}
