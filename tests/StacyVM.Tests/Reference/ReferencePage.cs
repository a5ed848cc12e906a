using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Reference;

/// <summary>A page that is written from the program's own tables. <c>make reference</c> writes it anew; a test says when that is due.</summary>
internal static class ReferencePage
{
    public static void IsUpToDate(string page, string wanted)
    {
        string path = Path.Combine(SourceTree.Root, page);
        if (Environment.GetEnvironmentVariable("STACYVM_WRITE_REFERENCE") is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, wanted);
        }
        Assert.True(File.Exists(path) && File.ReadAllText(path) == wanted, $"{page} is not up to date: run make reference");
    }
}
