using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StacyVM.Engine.Configuration;

/// <summary>Sets keys in the text of a configuration file. All other keys stay; comments do not survive, so the file before is worth keeping.</summary>
internal static class ConfigurationFileEdit
{
    /// <param name="text">The file as it is; empty for a new one.</param>
    /// <param name="values">Dotted key to text.</param>
    /// <returns>The file as it is to be.</returns>
    /// <exception cref="InvalidDataException">The text is not a map of keys.</exception>
    public static string Set(string text, IReadOnlyDictionary<string, string> values)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException fault)
        {
            throw new InvalidDataException($"line {fault.Start.Line} is not YAML: correct it first", fault);
        }
        if (yaml.Documents.Count == 0 || yaml.Documents[0].RootNode is YamlScalarNode { Value: null or "" })
            yaml = new YamlStream(new YamlDocument(new YamlMappingNode()));
        if (yaml.Documents[0].RootNode is not YamlMappingNode root)
            throw new InvalidDataException("the file is not a map of keys: correct it first");
        foreach ((string key, string value) in values)
        {
            string[] parts = key.Split('.');
            YamlMappingNode section = parts[..^1].Aggregate(root, Section);
            section.Children[Name(section, parts[^1])] = new YamlScalarNode(value);
        }
        var written = new StringWriter();
        yaml.Save(written, assignAnchors: false);
        // The mark of a document's end, which only a stream of several needs.
        return written.ToString().TrimEnd().TrimEnd('.').TrimEnd() + "\n";
    }

    private static YamlMappingNode Section(YamlMappingNode parent, string name)
    {
        YamlNode key = Name(parent, name);
        if (parent.Children.TryGetValue(key, out YamlNode? present) && present is YamlMappingNode section)
            return section;
        var made = new YamlMappingNode();
        parent.Children[key] = made;
        return made;
    }

    /// <summary>The key as it stands in the file, where upper and lower case do not tell keys apart.</summary>
    private static YamlNode Name(YamlMappingNode mapping, string name) =>
        mapping.Children.Keys.FirstOrDefault(key => key is YamlScalarNode { Value: { } value } && value.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? new YamlScalarNode(name);
}
