using StacyVM.Engine.Configuration;
using StacyVM.Tests.Reference;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class ConfigurationReferenceTests
{
    [Fact]
    public void The_reference_page_is_the_one_of_the_table() =>
        ReferencePage.IsUpToDate("docs/reference/configuration.md", ConfigurationReference.Markdown());
}
