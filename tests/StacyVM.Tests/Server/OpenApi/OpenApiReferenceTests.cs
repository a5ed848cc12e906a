using System.Text.Encodings.Web;
using System.Text.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Server.OpenApi;

public sealed class OpenApiReferenceTests
{
    private const string Page = "docs/reference/openapi.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task The_committed_document_is_the_one_of_the_routes()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string wanted = OpenApiDocument.Of(server.Server.Endpoints).ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable("STACYVM_WRITE_REFERENCE") is not null)
        {
            Directory.CreateDirectory(Path.Combine(SourceTree.Root, "docs/reference"));
            File.WriteAllText(Path.Combine(SourceTree.Root, Page), wanted);
        }

        Assert.True(SourceTree.Read(Page) == wanted, $"{Page} is not up to date: run `make reference`");
    }
}
