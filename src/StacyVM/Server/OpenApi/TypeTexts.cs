using System.Text;
using System.Text.Json;
using System.Xml;

namespace StacyVM.Server.OpenApi;

/// <summary>
/// The doc comments of the wire types, as Markdown. The compiler writes them beside StacyVM.Protocol and the build embeds that file, so that
/// the document says what the code says.
/// </summary>
internal sealed class TypeTexts
{
    private const string Resource = "StacyVM.Protocol.xml";

    private readonly Dictionary<string, string> _texts = [];

    /// <exception cref="InvalidOperationException">The build has not embedded the comments.</exception>
    public static TypeTexts Load()
    {
        using Stream xml = typeof(TypeTexts).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the resource {Resource} is missing from the build");
        return new TypeTexts(xml);
    }

    public TypeTexts(Stream xml)
    {
        using XmlReader reader = XmlReader.Create(xml, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        while (reader.ReadToFollowing("member"))
        {
            string member = reader.GetAttribute("name") ?? "";
            using XmlReader inner = reader.ReadSubtree();
            ReadMember(member, inner);
        }
    }

    /// <summary>The summary of a type, or null.</summary>
    public string? Of(Type type) => _texts.GetValueOrDefault("T:" + type.FullName);

    /// <summary>The summary of a field by its name on the wire, or null.</summary>
    public string? Of(Type type, string field) => _texts.GetValueOrDefault($"P:{type.FullName}.{field}");

    private void ReadMember(string member, XmlReader inner)
    {
        while (inner.Read())
        {
            if (inner is not { NodeType: XmlNodeType.Element })
                continue;
            if (inner.Name == "summary")
                _texts[Key(member)] = Text(inner);
            // The properties of a positional record are documented as parameters of the type.
            else if (inner.Name == "param" && member.StartsWith("T:", StringComparison.Ordinal))
                _texts[$"P:{member[2..]}.{Snake(inner.GetAttribute("name") ?? "")}"] = Text(inner);
        }
    }

    private static string Key(string member)
    {
        int dot = member.LastIndexOf('.');
        return member.StartsWith("P:", StringComparison.Ordinal) ? member[..(dot + 1)] + Snake(member[(dot + 1)..]) : member;
    }

    private static string Text(XmlReader element)
    {
        var text = new StringBuilder();
        using XmlReader reader = element.ReadSubtree();
        while (reader.Read())
        {
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace)
                text.Append(reader.Value);
            else if (reader.Name is "c")
                text.Append('`');
            else if (reader.NodeType == XmlNodeType.Element && reader.Name is "see" or "paramref")
                text.Append('`').Append(Reference(reader)).Append('`');
        }
        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Reference(XmlReader see)
    {
        string target = see.GetAttribute("cref") ?? see.GetAttribute("langword") ?? see.GetAttribute("name") ?? "";
        string last = target[(target.LastIndexOf('.') + 1)..];
        return target.StartsWith("P:", StringComparison.Ordinal) ? Snake(last) : last;
    }

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
