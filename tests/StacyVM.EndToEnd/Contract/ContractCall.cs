using System.Text;
using System.Text.Json;

namespace StacyVM.EndToEnd.Contract;

/// <summary>A call of an operation, filled in with the examples of the document until a preparation says otherwise.</summary>
internal sealed class ContractCall
{
    public ContractCall(ApiOperation operation, string provider)
    {
        (Operation, Provider) = (operation, provider);
        foreach (JsonElement parameter in operation.Parameters.Where(parameter => parameter.TryGetProperty("example", out _)))
            Values(parameter)[parameter.GetProperty("name").GetString()!] = parameter.GetProperty("example").ToString();
        Body = operation.Body?.GetRawText();
    }

    public ApiOperation Operation { get; }

    public string Provider { get; }

    public Dictionary<string, string> Route { get; } = [];

    public Dictionary<string, string> Query { get; } = [];

    /// <summary>JSON, or the text that is uploaded.</summary>
    public string? Body { get; set; }

    public string Sandbox => Route["id"];

    public string Path => Route.Aggregate(Operation.Path, (path, value) => path.Replace("{" + value.Key + "}", Uri.EscapeDataString(value.Value)));

    public HttpRequestMessage Request(string suffix = "")
    {
        string query = string.Join('&', Query.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
        var request = new HttpRequestMessage(new HttpMethod(Operation.Method), Path.TrimStart('/') + suffix + (query.Length > 0 ? "?" + query : ""));
        if (Body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Body));
        return request;
    }

    private Dictionary<string, string> Values(JsonElement parameter) => parameter.GetProperty("in").GetString() switch
    {
        "path" => Route,
        "query" => Query,
        _ => [],
    };
}
