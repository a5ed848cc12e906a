namespace StacyVM.Protocol.Rest;

/// <summary>A file on the wire.</summary>
public sealed record FileInfo
{
    /// <summary>Absolute path in the sandbox.</summary>
    public required string Path { get; init; }

    /// <summary>Last part of the path.</summary>
    public required string Name { get; init; }

    /// <summary>In bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Four octal digits.</summary>
    public required string Mode { get; init; }

    /// <summary>Whether it is a directory.</summary>
    public required bool IsDir { get; init; }

    /// <summary>To the second.</summary>
    public required DateTime ModTime { get; init; }

    /// <summary><c>file</c>, <c>directory</c>, <c>symlink</c> or <c>other</c>.</summary>
    public string? Type { get; init; }
}

/// <summary>Body of <c>POST /files</c>. Large or binary content goes by <c>PUT /files?path=</c> instead.</summary>
public sealed record WriteFileBody
{
    /// <summary>Absolute path in the sandbox.</summary>
    public string? Path { get; init; }

    /// <summary>Text, written as UTF-8.</summary>
    public string? Content { get; init; }

    /// <summary>Bytes, instead of <see cref="Content"/>.</summary>
    public string? ContentBase64 { get; init; }

    /// <summary><c>base64</c>: <see cref="Content"/> is base64.</summary>
    public string? Encoding { get; init; }

    /// <summary>Octal text; default 0644 for a new file.</summary>
    public string? Mode { get; init; }
}

/// <summary>Body of <c>POST /files/move</c>.</summary>
public sealed record MoveFileBody
{
    /// <summary>Absolute path of what is moved.</summary>
    public string? OldPath { get; init; }

    /// <summary>Absolute path it gets.</summary>
    public string? NewPath { get; init; }
}

/// <summary>Body of <c>POST /files/chmod</c>.</summary>
public sealed record ChmodFileBody
{
    /// <summary>Absolute path in the sandbox.</summary>
    public string? Path { get; init; }

    /// <summary>Octal text.</summary>
    public string? Mode { get; init; }
}

/// <summary>Body of <c>POST /files/mkdir</c> (an addition to the original).</summary>
public sealed record MakeDirectoryBody
{
    /// <summary>Absolute path in the sandbox.</summary>
    public string? Path { get; init; }

    /// <summary>Octal text; default 0755.</summary>
    public string? Mode { get; init; }
}
