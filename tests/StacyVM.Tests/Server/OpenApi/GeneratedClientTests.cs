using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag.CodeGeneration.CSharp;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Server.OpenApi;

/// <summary>Others can work with the committed document: readers accept it, and what a generator makes of it compiles.</summary>
public sealed class GeneratedClientTests
{
    private const string Page = "docs/reference/openapi.json";

    [Fact]
    public void The_document_is_valid_OpenAPI()
    {
        ReadResult read = Microsoft.OpenApi.OpenApiDocument.Parse(
            SourceTree.Read(Page), OpenApiConstants.Json, new OpenApiReaderSettings { RuleSet = ValidationRuleSet.GetDefaultRuleSet() });

        Assert.Empty(read.Diagnostic!.Errors.Concat(read.Diagnostic.Warnings).Select(fault => fault.ToString()));
        Assert.Equal(OpenApiSpecVersion.OpenApi3_0, read.Diagnostic.SpecificationVersion);
    }

    [Fact]
    public async Task A_client_that_is_generated_from_it_compiles()
    {
        NSwag.OpenApiDocument document = await NSwag.OpenApiDocument.FromJsonAsync(SourceTree.Read(Page));
        string source = new CSharpClientGenerator(document, new CSharpClientGeneratorSettings
        {
            ClassName = "GeneratedClient",
            GenerateOptionalParameters = true,
            CSharpGeneratorSettings = { Namespace = "Generated", JsonLibrary = CSharpJsonLibrary.SystemTextJson },
        }).GenerateFile();

        IEnumerable<MetadataReference> platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Generated", [CSharpSyntaxTree.ParseText(source)], platform, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        using var output = new MemoryStream();
        IEnumerable<string> errors = compilation.Emit(output).Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString());

        Assert.Empty(errors);
        Type client = Assembly.Load(output.ToArray()).GetType("Generated.GeneratedClient")!;
        foreach (string name in new[] { "SpawnSandboxAsync", "ExecCommandAsync", "WriteFileAsync", "ListSandboxesAsync", "AdminListProvidersAsync" })
            Assert.Contains(client.GetMethods(), method => method.Name == name);
    }
}
