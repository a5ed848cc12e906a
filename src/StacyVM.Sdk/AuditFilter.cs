namespace StacyVM.Sdk;

/// <summary>Which rows of the admin audit; what is left out does not restrict.</summary>
public sealed record AuditFilter
{
    /// <summary>At most so many, the newest; 1 to 500. Default: the server's, 100.</summary>
    public int? Limit { get; init; }

    /// <summary>An actor as it stands in the rows, or an <c>X-User-ID</c> that somebody claimed.</summary>
    public string? Actor { get; init; }

    /// <summary>HTTP method, in any case.</summary>
    public string? Method { get; init; }

    /// <summary>HTTP status, such as 401.</summary>
    public int? Status { get; init; }

    /// <summary>A part of the path.</summary>
    public string? Path { get; init; }

    internal string ToQuery(bool csv)
    {
        List<string> parts = [];
        void Add(string name, object? value)
        {
            if (value is not null)
                parts.Add($"{name}={Uri.EscapeDataString(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!)}");
        }
        Add("limit", Limit);
        Add("actor", Actor);
        Add("method", Method);
        Add("status", Status);
        Add("path", Path);
        Add("format", csv ? "csv" : null);
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }
}
