namespace StacyVM.Engine.Providers.Mock;

/// <summary>
/// Paths of a sandbox that has no root of its own. <c>..</c> does not lead out of it; a symbolic link does, and commands go where they like: this
/// level isolates nothing.
/// </summary>
internal sealed class MockPaths(string root)
{
    private const string Workspace = "/workspace";

    /// <summary>Relative ones begin in the workspace. A trailing slash stays, because it says "directory".</summary>
    public string ToHost(string path)
    {
        if (path.Contains('\0'))
            return path;
        var parts = new List<string>();
        foreach (string part in (path.StartsWith('/') ? path : $"{Workspace}/{path}").Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ".."))
                parts.Add(part);
        }
        string whole = parts.Count == 0 ? root : $"{root}/{string.Join('/', parts)}";
        return path.EndsWith('/') && parts.Count > 0 ? whole + "/" : whole;
    }

    public string ToSandbox(string path) =>
        !path.StartsWith(root, StringComparison.Ordinal) ? path : path.Length == root.Length ? "/" : path[root.Length..];
}
