using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace StacyVM.Engine.Configuration;

/// <summary>
/// The text of a YAML file in which one value is exchanged and everything else, comments and order included, stays as its author wrote it. What
/// comes out is read again by whoever writes it: a layout that this does not understand shows there.
/// </summary>
internal static class ConfigurationText
{
    /// <param name="text">The file.</param>
    /// <param name="key">Dotted, lower-case.</param>
    /// <param name="value">A plain scalar: letters, digits, dots and underscores.</param>
    /// <exception cref="YamlException">The text is not YAML.</exception>
    public static string Set(string text, string key, string value)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        if (yaml.Documents.Count == 0 || yaml.Documents[0].RootNode is not YamlMappingNode section)
            return Append(text, key, value);
        YamlNode? header = null;
        while (true)
        {
            (YamlNode? keyNode, YamlNode? node, string rest) = Find(section, key);
            if (keyNode is null || node is null)
                return InsertFirst(text, section, header, key, value);
            if (rest.Length == 0)
                return Replace(text, node, value);
            if (node is not YamlMappingNode inner)
                return Insert(text, LineAfter(text, keyNode), new string(' ', Column(keyNode) + 2), rest, value);
            (section, header, key) = (inner, keyNode, rest);
        }
    }

    /// <summary>The entry of a mapping that is the key, or that leads to it; keys may themselves hold dots.</summary>
    private static (YamlNode? Key, YamlNode? Node, string Below) Find(YamlMappingNode section, string key)
    {
        foreach ((YamlNode keyNode, YamlNode node) in section.Children)
        {
            string name = (keyNode as YamlScalarNode)?.Value?.ToLowerInvariant() ?? "";
            if (name == key)
                return (keyNode, node, "");
            if (name.Length > 0 && key.StartsWith(name + ".", StringComparison.Ordinal))
                return (keyNode, node, key[(name.Length + 1)..]);
        }
        return (null, null, key);
    }

    private static string Replace(string text, YamlNode node, string value)
    {
        (int start, int end) = ((int)node.Start.Index, (int)node.End.Index);
        // Nothing written: right behind the colon.
        return start == end ? text.Insert(start, " " + value) : string.Concat(text.AsSpan(0, start), value, text.AsSpan(end));
    }

    private static string InsertFirst(string text, YamlMappingNode section, YamlNode? header, string key, string value)
    {
        if (section.Style == MappingStyle.Flow)
            return text.Insert((int)section.Start.Index + 1, $" {key}: {value}{(section.Children.Count > 0 ? "," : " ")}");
        // Behind the section's own line and not before its first key: the comment above that key is about that key.
        return header is null
            ? Append(text, key, value)
            : Insert(text, LineAfter(text, header), new string(' ', Column(section.Children[0].Key)), key, value);
    }

    private static string Append(string text, string key, string value) => Insert(text, text.Length, "", key, value);

    private static string Insert(string text, int at, string indent, string key, string value)
    {
        string newLine = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        string before = at > 0 && text[at - 1] != '\n' ? newLine : "";
        string[] names = key.Split('.');
        string lines = "";
        for (int i = 0; i < names.Length; i++)
            lines += $"{indent}{new string(' ', 2 * i)}{names[i]}:{(i == names.Length - 1 ? " " + value : "")}{newLine}";
        return text.Insert(at, before + lines);
    }

    private static int LineAfter(string text, YamlNode node) => text.IndexOf('\n', (int)node.End.Index) is >= 0 and var end ? end + 1 : text.Length;

    private static int Column(YamlNode node) => (int)node.Start.Column - 1;
}
