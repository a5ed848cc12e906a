using System.Xml.Linq;

namespace StacyVM.Tests.Architecture;

/// <summary>The sources of this checkout.</summary>
internal static class SourceTree
{
    /// <summary>The folder with <c>StacyVM.slnx</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>C# files below a folder, by paths relative to the root.</summary>
    public static IEnumerable<string> CSharp(string folder) => Files(folder, "*.cs");

    public static IEnumerable<string> Files(string folder, string pattern) =>
        from file in Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Root, file)
        where !path.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or "node_modules" or "TestResults" or ".git")
        orderby path
        select path;

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Names of the projects or packages that a project refers to.</summary>
    public static IReadOnlyList<string> References(string project, string kind) =>
    [
        .. from reference in XDocument.Load(Path.Combine(Root, "src", project, project + ".csproj")).Descendants(kind)
           let name = (string)reference.Attribute("Include")!
           select kind == "ProjectReference" ? Path.GetFileNameWithoutExtension(name) : name,
    ];

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "StacyVM.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the tests run outside of a checkout");
    }
}
