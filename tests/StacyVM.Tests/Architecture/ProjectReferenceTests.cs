using Xunit;

namespace StacyVM.Tests.Architecture;

public sealed class ProjectReferenceTests
{
    [Theory]
    [InlineData("StacyVM.Protocol", "")]
    [InlineData("StacyVM.Sdk", "StacyVM.Protocol")]
    [InlineData("StacyVM.Agent", "StacyVM.Protocol")]
    [InlineData("StacyVM.Engine", "StacyVM.Protocol")]
    [InlineData("StacyVM", "StacyVM.Engine StacyVM.Protocol StacyVM.Sdk")]
    public void A_project_refers_only_to_those_below_it(string project, string below) =>
        Assert.Equal(below, string.Join(' ', SourceTree.References(project, "ProjectReference").Order()));

    [Theory]
    [InlineData("StacyVM.Protocol")]
    [InlineData("StacyVM.Sdk")]
    [InlineData("StacyVM.Agent")]
    public void Wire_types_SDK_and_agent_need_no_package(string project) =>
        Assert.Empty(SourceTree.References(project, "PackageReference"));

    [Theory]
    [InlineData(typeof(Engine.Configuration.StacyOptions))]
    public void Only_wire_types_and_SDK_are_public(Type inside) =>
        Assert.Empty(inside.Assembly.GetExportedTypes());
}
