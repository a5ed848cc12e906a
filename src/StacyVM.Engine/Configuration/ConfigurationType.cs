using System.Diagnostics.CodeAnalysis;

namespace StacyVM.Engine.Configuration;

/// <summary>How a kind of value is read, written and described.</summary>
/// <param name="Name">One word for the reference, e.g. <c>duration</c>.</param>
/// <param name="Expectation">Completes "it must be …".</param>
/// <param name="Parse">Reads a value; false when it does not satisfy the expectation.</param>
/// <param name="Format">Writes it as the file would have it.</param>
internal sealed record ConfigurationType<T>(
    string Name, string Expectation, ConfigurationParse<T> Parse, Func<T, string> Format);

internal delegate bool ConfigurationParse<T>(ConfigurationValue raw, [MaybeNullWhen(false)] out T value);
