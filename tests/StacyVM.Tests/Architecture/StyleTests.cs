using System.Text.RegularExpressions;
using Xunit;

namespace StacyVM.Tests.Architecture;

public sealed partial class StyleTests
{
    private const int MostLines = 400;

    [Fact]
    public void No_file_holds_two_concerns()
    {
        var faults =
            from path in SourceTree.CSharp("src").Concat(SourceTree.CSharp("tests"))
            let lines = SourceTree.Read(path).Count(c => c == '\n')
            where lines > MostLines
            select $"{path} has {lines} lines";

        Assert.Empty(faults);
    }

    [Fact]
    public void Types_are_named_by_their_role()
    {
        var faults =
            from path in SourceTree.CSharp("src").Concat(SourceTree.CSharp("tests"))
            from Match type in TypeDeclaration().Matches(SourceTree.Read(path))
            where EmptyWord().IsMatch(type.Groups[1].Value)
            select $"{path}: {type.Groups[1].Value}";

        Assert.Empty(faults);
    }

    [Fact]
    public void Nothing_names_a_place_of_the_machine_it_was_written_on()
    {
        string[] kinds = ["*.cs", "*.csproj", "*.props", "*.md", "*.yaml", "*.yml", "*.json", "*.service", "*.py", "*.ts", "*.sh"];
        var faults =
            from path in kinds.SelectMany(kind => SourceTree.Files(".", kind)).Where(path => !path.EndsWith("StyleTests.cs", StringComparison.Ordinal))
            let text = SourceTree.Read(path)
            where text.Contains(SourceTree.Root + "/", StringComparison.Ordinal) || PersonalPath().IsMatch(text)
            select path;

        Assert.Empty(faults);
    }

    [GeneratedRegex(@"^\s*(?:(?:public|internal|private|protected|file|static|sealed|abstract|readonly|ref|partial|unsafe)\s+)*(?:class|interface|enum|struct|record(?:\s+(?:class|struct))?)\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"(Manager|Helpers?|Utils?|Utility|Utilities|Base|Impl|Dto|DTO)(?=[A-Z]|$)")]
    private static partial Regex EmptyWord();

    // A checkout below a home directory; /home/user is the home inside of some images.
    [GeneratedRegex(@"/Users/\w|[A-Z]:\\Users\\|/home/(?!user\b)[a-z]\w*/|/work/")]
    private static partial Regex PersonalPath();
}
