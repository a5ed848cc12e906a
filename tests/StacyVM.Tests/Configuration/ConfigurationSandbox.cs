using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Configuration;

/// <summary>A working directory, a home and an environment of a test's own.</summary>
internal sealed class ConfigurationSandbox : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("stacyvm-config-");

    public ConfigurationSandbox()
    {
        Directory.CreateDirectory(WorkingDirectory);
        Directory.CreateDirectory(Home);
    }

    public string WorkingDirectory => Path.Combine(_root.FullName, "work");

    public string Home => Path.Combine(_root.FullName, "home");

    public Dictionary<string, string> Environment { get; } = [];

    public Dictionary<string, string> Flags { get; } = [];

    public string? ConfigPath { get; set; }

    public bool IsRoot { get; set; }

    public string Write(string path, string content)
    {
        string full = Path.Combine(_root.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        return full;
    }

    /// <summary>Writes <c>./stacyvm.yaml</c>.</summary>
    public void WriteYaml(string content) => Write("work/stacyvm.yaml", content);

    public ConfigurationSources Sources => new()
    {
        ConfigPath = ConfigPath,
        Environment = Environment,
        Flags = Flags,
        WorkingDirectory = WorkingDirectory,
        HomeDirectory = Home,
        IsRoot = IsRoot,
    };

    public LoadedConfiguration Load() => ConfigurationLoader.Load(Sources);

    public IReadOnlyList<ConfigurationFault> LoadFaults() => Assert.Throws<ConfigurationException>(Load).Faults;

    public void Dispose() => _root.Delete(recursive: true);
}
