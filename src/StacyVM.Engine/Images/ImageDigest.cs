using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StacyVM.Engine.Images;

/// <summary>SHA-256 of some content, <c>sha256:</c> and 64 hexadecimal digits. Its <see cref="Hex"/> is safe as a file name.</summary>
[JsonConverter(typeof(ImageDigestConverter))]
internal sealed record ImageDigest
{
    private const string Algorithm = "sha256:";
    private const int HexLength = 64;

    private ImageDigest(string hex) => Hex = hex;

    /// <summary>The digits alone.</summary>
    public string Hex { get; }

    /// <summary>Enough of it for people.</summary>
    public string Short => Hex[..12];

    /// <returns>Null for what is none; other algorithms are not known here.</returns>
    public static ImageDigest? TryParse(string? text) =>
        text is not null && text.StartsWith(Algorithm, StringComparison.Ordinal) && IsHex(text.AsSpan(Algorithm.Length))
            ? new ImageDigest(text[Algorithm.Length..])
            : null;

    public static ImageDigest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    /// <summary>From a finished hash.</summary>
    public static ImageDigest FromHash(ReadOnlySpan<byte> hash) => new(Convert.ToHexStringLower(hash));

    public static bool TryFromHex(string hex, [NotNullWhen(true)] out ImageDigest? digest)
    {
        digest = IsHex(hex) ? new ImageDigest(hex) : null;
        return digest is not null;
    }

    public override string ToString() => Algorithm + Hex;

    private static bool IsHex(ReadOnlySpan<char> text) => text.Length == HexLength && !text.ContainsAnyExcept("0123456789abcdef");
}

/// <summary>As text.</summary>
internal sealed class ImageDigestConverter : JsonConverter<ImageDigest>
{
    public override ImageDigest Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && ImageDigest.TryParse(reader.GetString()) is { } digest
            ? digest
            : throw new JsonException("a digest is sha256: and 64 hexadecimal digits");

    public override void Write(Utf8JsonWriter writer, ImageDigest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
