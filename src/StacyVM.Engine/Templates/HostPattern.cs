using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace StacyVM.Engine.Templates;

/// <summary>A host that a sandbox may reach: a name, a name with a wildcard in front, an address, or everything; each with an optional port.</summary>
internal static partial class HostPattern
{
    private const int MaxLength = 253;

    public static bool IsOne(string text)
    {
        if (text == "*")
            return true;
        // A bare IPv6 address has colons and no port.
        if (text.Count(c => c == ':') > 1 && !text.StartsWith('['))
            return IPAddress.TryParse(text, out _);
        int colon = text.LastIndexOf(':');
        bool hasPort = colon >= 0 && !text.EndsWith(']');
        if (hasPort && !(int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= 65535))
            return false;
        string host = hasPort ? text[..colon] : text;
        if (host.StartsWith('[') && host.EndsWith(']'))
            return IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out _);
        return host == "*" || (host.Length <= MaxLength && Name().IsMatch(host));
    }

    [GeneratedRegex(@"^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex Name();
}
