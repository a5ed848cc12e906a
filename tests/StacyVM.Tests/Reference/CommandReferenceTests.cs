using StacyVM.Cli;
using Xunit;

namespace StacyVM.Tests.Reference;

public sealed class CommandReferenceTests
{
    [Fact]
    public void The_reference_page_is_the_one_of_the_command_tree() =>
        ReferencePage.IsUpToDate("docs/reference/cli.md", CommandReference.Markdown(CommandLine.Build()));
}
