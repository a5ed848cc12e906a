using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.OpenApi;

/// <summary>The schemas of the wire types, from the same generated type information that writes and reads them; objects once each, by name.</summary>
internal sealed class SchemaCatalog(TypeTexts texts)
{
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);

    public JsonObject Objects
    {
        get
        {
            var all = new JsonObject();
            foreach ((string name, JsonObject schema) in _objects)
                all[name] = schema.DeepClone();
            return all;
        }
    }

    /// <summary>A schema for use in place: a reference for objects.</summary>
    public JsonObject Of(JsonTypeInfo type)
    {
        Type plain = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        return type.Kind switch
        {
            JsonTypeInfoKind.Object => Reference(type),
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Of(type, type.ElementType!) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(type, type.ElementType!) },
            _ => Simple(plain),
        };
    }

    /// <summary>Adds fields that a route refuses to do without.</summary>
    public void Require(JsonTypeInfo type, IReadOnlyList<string> fields)
    {
        if (fields.Count == 0)
            return;
        Of(type);
        JsonObject schema = _objects[type.Type.Name];
        var required = schema["required"] as JsonArray ?? [];
        foreach (string field in fields.Where(field => !required.Any(name => name!.GetValue<string>() == field)))
            required.Add((JsonNode)field);
        schema["required"] = required;
    }

    private JsonObject Of(JsonTypeInfo owner, Type type) => Of(owner.Options.GetTypeInfo(type));

    private JsonObject Reference(JsonTypeInfo type)
    {
        string name = type.Type.Name;
        if (!_objects.ContainsKey(name))
        {
            // Before its fields, so that a type may contain itself.
            var schema = _objects[name] = new JsonObject { ["type"] = "object" };
            Fill(schema, type);
        }
        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    private void Fill(JsonObject schema, JsonTypeInfo type)
    {
        if (texts.Of(type.Type) is { } text)
            schema["description"] = text;
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (JsonPropertyInfo property in type.Properties)
        {
            properties[property.Name] = Field(type, property);
            if (property.IsRequired)
                required.Add((JsonNode)property.Name);
        }
        if (required.Count > 0)
            schema["required"] = required;
        schema["properties"] = properties;
    }

    private JsonObject Field(JsonTypeInfo type, JsonPropertyInfo property)
    {
        JsonObject schema = Of(type, property.PropertyType);
        // Beside a reference OpenAPI 3.0 ignores everything else.
        if (schema.ContainsKey("$ref"))
            schema = new JsonObject { ["allOf"] = new JsonArray(schema) };
        if (texts.Of(type.Type, property.Name) is { } text)
            schema["description"] = text;
        if (type.Type == typeof(ErrorBody) && property.Name == "code")
            schema["enum"] = new JsonArray([.. Problem.Table.Select(row => row.Code).Distinct().Select(code => (JsonNode)code)]);
        return schema;
    }

    private static JsonObject Simple(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => new JsonObject { ["type"] = "boolean" },
        TypeCode.Byte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Int32 => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
        TypeCode.UInt32 or TypeCode.Int64 or TypeCode.UInt64 => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
        TypeCode.Single or TypeCode.Double or TypeCode.Decimal => new JsonObject { ["type"] = "number", ["format"] = "double" },
        TypeCode.DateTime => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        TypeCode.String => new JsonObject { ["type"] = "string" },
        _ when type == typeof(DateTimeOffset) => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        // Any JSON value.
        _ => [],
    };
}
