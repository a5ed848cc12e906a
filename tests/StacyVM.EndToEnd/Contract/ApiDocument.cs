using System.Text.Json;
using StacyVM.Tests.Server.OpenApi;

namespace StacyVM.EndToEnd.Contract;

/// <summary>The committed OpenAPI document, from which the rows of the contract tests are made.</summary>
internal static class ApiDocument
{
    private static readonly string[] Methods = ["get", "head", "post", "put", "patch", "delete"];

    public static string Text { get; } = File.ReadAllText(Find());

    public static JsonElement Root { get; } = JsonDocument.Parse(Text).RootElement;

    public static SchemaCheck Schemas { get; } = new(Root);

    public static IReadOnlyList<ApiOperation> Operations { get; } =
    [
        .. from path in Root.GetProperty("paths").EnumerateObject()
           from method in path.Value.EnumerateObject()
           where Methods.Contains(method.Name)
           select new ApiOperation(method.Name.ToUpperInvariant(), path.Name, method.Value),
    ];

    public static ApiOperation Operation(string id) => Operations.Single(operation => operation.Id == id);

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "docs/reference/openapi.json");
            if (File.Exists(candidate))
                return candidate;
        }
        throw new FileNotFoundException("docs/reference/openapi.json is missing: run `make reference`");
    }
}
