namespace StacyVM.Server.OpenApi;

/// <summary>What the path of a route says by itself.</summary>
internal static class RoutePath
{
    /// <summary>The template, without a slash at the end and without constraints on its parameters.</summary>
    public static string Of(RouteEndpoint route)
    {
        IEnumerable<string> segments = route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => "{" + parameter.Name + "}",
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            _ => "",
        })));
        return "/" + string.Join('/', segments);
    }

    public static IEnumerable<string> Parameters(string path) =>
        path.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '}'));

    /// <summary>Parameters that mean the same everywhere, by the segment before them. Others get an empty meaning, which a test reports.</summary>
    public static RouteParameter Known(string path, string name)
    {
        string[] segments = path.Split('/');
        int at = Array.IndexOf(segments, "{" + name + "}");
        (string meaning, string example) = segments[at - 1] switch
        {
            "sandboxes" => ("Id of the sandbox.", RouteExamples.SandboxId),
            "processes" => ("Number of the process within the sandbox.", "7"),
            "providers" => ("Name of the provider.", "bubblewrap"),
            "quotas" => ("Id of the owner, as in `X-User-ID`.", "alice"),
            "templates" => ("Name of the template, with a slash in it written as `%2F`.", "python"),
            "specs" => ("Id of the spec.", "1f0c2d74-6f6e-4a57-9a0e-8d1f6b3c5a21"),
            "builds" => ("Id of the build.", "7b1e3f52-9c64-4d0b-8a3d-2e5f7c9a1b34"),
            "registry-connections" => ("Id of the connection.", "c2a5e8d1-4b7f-4e39-9d60-1a8b3c5d7e92"),
            _ => ("", ""),
        };
        return new RouteParameter(name, "path", meaning, "string", Required: true, example);
    }

    /// <summary>The chapter of a path.</summary>
    public static string Tag(string path)
    {
        string[] segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return segments switch
        {
            ["sandboxes", "{id}", "files", ..] => "Files",
            ["sandboxes", "{id}", "exec" or "processes", ..] => "Commands",
            ["sandboxes", "{id}", "checkpoints" or "fork", ..] => "Checkpoints",
            ["health" or "live" or "ready" or "diagnostics" or "metrics" or "system" or "config" or "events" or "tickets" or "pool" or "snapshots", ..] => "System",
            _ => Capital(segments[0]),
        };
    }

    public static string TagMeaning(string tag) => tag switch
    {
        "Admin" => "For administrators.",
        "Checkpoints" => "What is saved of sandboxes, and what starts from it.",
        "Commands" => "Commands and processes of a sandbox.",
        "Environments" => "Custom images, built from packages.",
        "Files" => "Files of a sandbox.",
        "Providers" => "Isolation levels and their health.",
        "Quotas" => "Limits of owners.",
        "Sandboxes" => "Life of sandboxes.",
        "System" => "Health, events and numbers of the server.",
        "Templates" => "Named recipes of sandboxes.",
        "Workers" => "Hosts that run sandboxes.",
        _ => $"{tag}.",
    };

    public static string Capital(string word) => word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..];

    /// <summary><c>/system/config</c> → <c>SystemConfig</c>.</summary>
    public static string Words(string path) =>
        string.Concat(path.Split(['/', '-', '_', '{', '}'], StringSplitOptions.RemoveEmptyEntries).Select(Capital));
}
