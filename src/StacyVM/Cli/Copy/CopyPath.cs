using StacyVM.Protocol;

namespace StacyVM.Cli.Copy;

/// <summary>One side of <c>cp</c>: <c>id:/path</c> in a sandbox, a path of this machine, or <c>-</c> for a standard stream.</summary>
/// <param name="SandboxId">Null: this machine.</param>
/// <param name="Path">As written.</param>
internal sealed record CopyPath(string? SandboxId, string Path)
{
    public bool IsRemote => SandboxId is not null;

    /// <summary>stdin as a source, stdout as a target.</summary>
    public bool IsStream => SandboxId is null && Path == "-";

    /// <summary>
    /// What stands before the first colon is an id when it can be one and no slash comes before it; <c>./a:b</c> is a local file.
    /// </summary>
    public static CopyPath Parse(string text)
    {
        int colon = text.IndexOf(':');
        if (colon <= 0 || !Protocol.SandboxId.IsSafe(text[..colon]))
            return new CopyPath(null, text);
        string path = text[(colon + 1)..];
        return new CopyPath(text[..colon], path.Length == 0 ? "." : path);
    }

    /// <summary>Last part of the path; empty when it names no entry but a place: <c>/</c>, <c>.</c>, <c>..</c>.</summary>
    public string Name
    {
        get
        {
            string trimmed = Path.TrimEnd('/');
            string name = trimmed[(trimmed.LastIndexOf('/') + 1)..];
            return name is "." or ".." ? "" : name;
        }
    }

    /// <summary>The path of an entry in this directory.</summary>
    public CopyPath Child(string name) => this with { Path = Path.EndsWith('/') ? Path + name : Path + "/" + name };
}
