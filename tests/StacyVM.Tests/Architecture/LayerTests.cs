using System.Text.RegularExpressions;
using Xunit;

namespace StacyVM.Tests.Architecture;

/// <summary>Who may know whom inside a project. A mention counts, whether by a using or by a full name.</summary>
public sealed partial class LayerTests
{
    private static readonly string[] BelowProviders = ["Agents", "Images", "Linux", "Configuration"];

    [Fact]
    public void Providers_know_neither_each_other_nor_the_store_nor_what_is_above_them()
    {
        var faults =
            from path in SourceTree.CSharp("src/StacyVM.Engine/Providers")
            let folder = Path.GetRelativePath("src/StacyVM.Engine/Providers", path).Split('/')
            where folder.Length > 1
            from name in EngineNamespaces(path)
            let parts = name.Split('.')
            let isBelow = BelowProviders.Contains(parts[0])
            let isContractOrOwn = parts[0] == "Providers" && (parts.Length == 1 || !IsProviderFolder(parts[1]) || parts[1] == folder[0] || parts[1] == "Remote")
            where !isBelow && !isContractOrOwn
            select $"{path} uses StacyVM.Engine.{name}";

        Assert.Empty(faults);
    }

    [Fact]
    public void The_command_line_reaches_the_server_only_through_the_SDK()
    {
        // serve composes the server; bench measures raw bwrap and docker beside it; operations work on a machine whose server may not run.
        string[] composition = ["Serve", "Bench", "Operations"];
        var faults =
            from path in SourceTree.CSharp("src/StacyVM").Where(path => path.StartsWith("src/StacyVM/Cli/", StringComparison.Ordinal))
            where !composition.Any(Path.GetRelativePath("src/StacyVM/Cli", path).Contains)
            from name in EngineNamespaces(path)
            where !name.StartsWith("Configuration", StringComparison.Ordinal)
            select $"{path} uses StacyVM.Engine.{name}";

        Assert.Empty(faults);
    }

    [Fact]
    public void The_engine_knows_neither_HTTP_nor_the_terminal()
    {
        var faults =
            from path in SourceTree.CSharp("src/StacyVM.Engine")
            from word in (string[])["Microsoft.AspNetCore", "System.CommandLine", "Spectre.Console"]
            where SourceTree.Read(path).Contains(word)
            select $"{path} uses {word}";

        Assert.Empty(faults);
    }

    [Fact]
    public void Linux_calls_live_in_their_folders()
    {
        string[] homes = ["src/StacyVM.Engine/Linux/", "src/StacyVM.Agent/", "src/StacyVM/Cli/Terminal/"];
        var faults =
            from path in SourceTree.CSharp("src")
            where !homes.Any(home => path.StartsWith(home, StringComparison.Ordinal))
            where NativeCall().IsMatch(SourceTree.Read(path))
            select path;

        Assert.Empty(faults);
    }

    private static IEnumerable<string> EngineNamespaces(string path) =>
        EngineName().Matches(SourceTree.Read(path))
            .Select(match => match.Groups[1].Value)
            .Where(name => !IsOwnNamespace(path, name))
            .Distinct();

    private static bool IsOwnNamespace(string path, string name) =>
        Path.GetDirectoryName(path) == "src/StacyVM.Engine/" + name.Replace('.', '/');

    private static bool IsProviderFolder(string name) =>
        Directory.Exists(Path.Combine(SourceTree.Root, "src/StacyVM.Engine/Providers", name));

    [GeneratedRegex(@"StacyVM\.Engine\.([A-Z]\w*(?:\.[A-Z]\w*)*)")]
    private static partial Regex EngineName();

    [GeneratedRegex(@"\[(Library|Dll)Import\(")]
    private static partial Regex NativeCall();
}
