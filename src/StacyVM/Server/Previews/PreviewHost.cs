using System.Globalization;
using StacyVM.Protocol;

namespace StacyVM.Server.Previews;

/// <summary>The names <c>&lt;port&gt;-&lt;sandbox id&gt;.&lt;preview domain&gt;</c>. Everything directly or further below the preview domain belongs to previews and never reaches the API.</summary>
internal sealed class PreviewHost(string domain)
{
    private readonly string _suffix = "." + new HostString(domain).Host.Trim('.');

    /// <summary>True for any name below the preview domain.</summary>
    public bool Covers(string host) => Bare(host).EndsWith(_suffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>The port and sandbox that a name means; null when it means none.</summary>
    public (int Port, string SandboxId)? Parse(string host)
    {
        if (!Covers(host))
            return null;
        string label = Bare(host)[..^_suffix.Length].ToLowerInvariant();
        int dash = label.IndexOf('-');
        if (dash is < 1 or > 5 || label[0] == '0')
            return null;
        bool number = int.TryParse(label.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out int port);
        string id = label[(dash + 1)..];
        return number && port is >= 1 and <= 65535 && SandboxId.IsSafe(id) ? (port, id) : null;
    }

    private static string Bare(string host) => host.EndsWith('.') ? host[..^1] : host;
}
