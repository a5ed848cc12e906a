using System.Runtime.CompilerServices;
using System.Text.Json;
using StacyVM.Protocol.Rest;

namespace StacyVM.Sdk.Http;

/// <summary>Server-sent events that survive a broken connection.</summary>
internal sealed class EventStream(ApiConnection connection, EventFilter filter)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private string? _lastId = filter.AfterId;

    public async IAsyncEnumerable<EventMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        // Before the first answer an unreachable server is an error; later it is a server that restarts.
        HttpResponseMessage response = await OpenAsync(cancellation).ConfigureAwait(false);
        var pause = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            await using IAsyncEnumerator<EventMessage> events = ReadAsync(response, cancellation).GetAsyncEnumerator(cancellation);
            while (await MoveNextAsync(events).ConfigureAwait(false))
            {
                pause = TimeSpan.FromMilliseconds(100);
                _lastId = events.Current.Id;
                if (Matches(events.Current))
                    yield return events.Current;
            }
            response.Dispose();
            while (true)
            {
                await Task.Delay(pause, cancellation).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                try
                {
                    response = await OpenAsync(cancellation).ConfigureAwait(false);
                    break;
                }
                catch (Exception fault) when (fault is ConnectionException or ServerException { StatusCode: >= 500 or 429 })
                {
                    // It restarts, or is busy: again, later.
                }
            }
        }
    }

    // An iterator may not yield inside a try block with a catch clause.
    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<EventMessage> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (ConnectionException)
        {
            return false;
        }
    }

    private Task<HttpResponseMessage> OpenAsync(CancellationToken cancellation)
    {
        var query = new List<string>();
        if (filter.Type is { } type)
            query.Add("type=" + Uri.EscapeDataString(type));
        if (filter.SandboxId is { } sandbox)
            query.Add("sandbox_id=" + Uri.EscapeDataString(sandbox));
        string path = query.Count == 0 ? "events" : "events?" + string.Join('&', query);
        return connection.SendAsync(
            new ApiCall(HttpMethod.Get, path)
            {
                Headers = _lastId is null
                    ? [new("Accept", "text/event-stream")]
                    : [new("Accept", "text/event-stream"), new("Last-Event-ID", _lastId)],
            },
            cancellation);
    }

    private async IAsyncEnumerable<EventMessage> ReadAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        string data = "";
        await foreach (string line in LineReader.ReadLinesAsync(body, connection, cancellation).ConfigureAwait(false))
        {
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                string part = line.AsSpan(5).TrimStart(' ').ToString();
                data = data.Length == 0 ? part : data + "\n" + part;
            }
            else if (line.Length == 0 && data.Length > 0)
            {
                EventMessage? message = Parse(data);
                data = "";
                if (message is not null)
                    yield return message;
            }
        }
    }

    // A server without filters sends everything.
    private bool Matches(EventMessage message) =>
        (filter.Type is null || filter.Type == message.Type) && (filter.SandboxId is null || filter.SandboxId == message.SandboxId);

    private static EventMessage? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, RestJson.Default.EventMessage);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
