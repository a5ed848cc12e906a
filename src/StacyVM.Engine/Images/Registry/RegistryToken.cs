using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace StacyVM.Engine.Images.Registry;

/// <summary>
/// Gets in where a registry asks for a token. Source: the distribution project's token authentication specification; RFC 9110 §11 for the challenge.
/// </summary>
internal static partial class RegistryToken
{
    private const int MaxAnswer = 256 * 1024;

    /// <summary>The authorization that a challenge asks for.</summary>
    /// <returns>Null when it cannot be had: no credentials, a scheme nobody knows, or a place that is not to be trusted with them.</returns>
    /// <param name="http">Without credentials of its own.</param>
    /// <param name="host">Who challenged.</param>
    /// <param name="challenges">Its <c>WWW-Authenticate</c>.</param>
    /// <param name="repository">What is to be pulled.</param>
    /// <param name="basic">User and password, encoded; null for none.</param>
    /// <param name="cancellation">Ends the asking.</param>
    public static async Task<AuthenticationHeaderValue?> AnswerAsync(
        HttpClient http, RegistryHost host, HttpHeaderValueCollection<AuthenticationHeaderValue> challenges, string repository, string? basic, CancellationToken cancellation)
    {
        foreach (AuthenticationHeaderValue challenge in challenges)
        {
            if (challenge.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) && basic is not null)
                return new AuthenticationHeaderValue("Basic", basic);
            if (!challenge.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
                continue;
            Dictionary<string, string> parameters = Parameters(challenge.Parameter ?? "");
            if (!parameters.TryGetValue("realm", out string? text) || !Uri.TryCreate(text, UriKind.Absolute, out Uri? realm) || !host.Trusts(realm))
                continue;
            string scope = parameters.GetValueOrDefault("scope") ?? $"repository:{repository}:pull";
            string query = $"scope={Uri.EscapeDataString(scope)}";
            if (parameters.TryGetValue("service", out string? service))
                query += $"&service={Uri.EscapeDataString(service)}";
            var address = new UriBuilder(realm) { Query = realm.Query.Length > 1 ? realm.Query[1..] + "&" + query : query };
            using var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
            if (basic is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic", basic);
            using HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
                return null;
            byte[] body = await RegistryClient.ReadBoundedAsync(answer.Content, MaxAnswer, cancellation).ConfigureAwait(false);
            return Token(body) is { } token ? new AuthenticationHeaderValue("Bearer", token) : null;
        }
        return null;
    }

    private static string? Token(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            foreach (string name in (IEnumerable<string>)["token", "access_token"])
            {
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out JsonElement value) && value.GetString() is { Length: > 0 } token)
                    return token;
            }
        }
        catch (Exception cause) when (cause is JsonException or InvalidOperationException)
        {
            return null;
        }
        return null;
    }

    private static Dictionary<string, string> Parameters(string text)
    {
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match match in ParameterPattern().Matches(text))
            parameters[match.Groups["name"].Value] = match.Groups["value"].Value;
        return parameters;
    }

    [GeneratedRegex("""(?<name>[a-zA-Z_]+)\s*=\s*"?(?<value>[^"]*?)"?\s*(,|$)""")]
    private static partial Regex ParameterPattern();
}
