using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace StacyVM.Tests.Providers.Custom;

/// <summary>A backend that answers as a test says and notes what it was asked, word for word.</summary>
internal sealed class ScriptedBackend : HttpMessageHandler
{
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly Dictionary<string, Func<HttpResponseMessage>> _answers = new()
    {
        ["POST spawn"] = () => Json("""{"id":"remote-1"}"""),
        ["GET health"] = () => Json("""{"status":"ok"}"""),
        ["GET status"] = () => Json("{}"),
    };

    /// <summary>Method, path with query, and body of each call, in order.</summary>
    public IReadOnlyList<string> Calls => [.. _calls];

    /// <summary>Headers of the last call.</summary>
    public Dictionary<string, string> Headers { get; private set; } = [];

    public string this[string call]
    {
        set => _answers[call] = () => Json(value);
    }

    public static HttpResponseMessage Json(string body, int status = 200) => new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    /// <param name="call">Method and first part of the path.</param>
    /// <param name="answer">Made for each call.</param>
    public void Answer(string call, Func<HttpResponseMessage> answer) => _answers[call] = answer;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string path = request.RequestUri!.PathAndQuery;
        string body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        _calls.Enqueue($"{request.Method} {path} {body}".TrimEnd());
        Headers = request.Headers.ToDictionary(header => header.Key, header => string.Join(", ", header.Value));
        string route = request.RequestUri.AbsolutePath["/base/".Length..];
        foreach (string key in new[] { $"{request.Method} {route}", $"{request.Method} {route.Split('/')[0]}" })
        {
            if (_answers.TryGetValue(key, out Func<HttpResponseMessage>? answer))
                return answer();
        }
        return Json("{}");
    }
}
