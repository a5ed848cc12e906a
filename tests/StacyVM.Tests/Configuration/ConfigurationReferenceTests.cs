using StacyVM.Engine.Configuration;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class ConfigurationReferenceTests
{
    private const string Page = "docs/configuration.md";

    [Fact]
    public void The_reference_page_is_the_one_of_the_table()
    {
        string wanted = ConfigurationReference.Markdown();
        if (Environment.GetEnvironmentVariable("STACYVM_WRITE_REFERENCE") is not null)
        {
            Directory.CreateDirectory(Path.Combine(SourceTree.Root, "docs"));
            File.WriteAllText(Path.Combine(SourceTree.Root, Page), wanted);
        }

        Assert.True(SourceTree.Read(Page) == wanted, $"{Page} is not up to date: run this test once with STACYVM_WRITE_REFERENCE=1");
    }
}
