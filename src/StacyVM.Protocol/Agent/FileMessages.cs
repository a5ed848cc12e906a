namespace StacyVM.Protocol.Agent;

/// <summary>What an entry of a file system is.</summary>
public enum FileKind : byte
{
    File = 0,
    Directory = 1,
    SymbolicLink = 2,
    Other = 3,
}

/// <summary>
/// A file as the sandbox sees it. Paths travel as UTF-8; bytes of a name that are not UTF-8 arrive as U+FFFD.
/// </summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Bytes of a file; 0 for others.</param>
/// <param name="Mode">Permission bits, 12 of them.</param>
/// <param name="ModifiedAt">Unix time in seconds.</param>
public readonly record struct FileEntry(string Path, FileKind Kind, long Size, uint Mode, long ModifiedAt)
{
    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.Byte((byte)Kind);
        w.Int64(Size);
        w.UInt32(Mode);
        w.Int64(ModifiedAt);
    }

    public static FileEntry Read(ref RecordReader r) => new(r.String(), (FileKind)r.Byte(), r.Int64(), r.UInt32(), r.Int64());
}

/// <summary>A path and nothing else. Relative paths are resolved against the agent's default working directory.</summary>
public readonly record struct PathRequest(string Path)
{
    public void Write(RecordWriter w) => w.String(Path);

    public static PathRequest Read(ref RecordReader r) => new(r.String());
}

/// <summary>Reads a file as a stream.</summary>
/// <param name="Path">The file; symbolic links are followed inside the sandbox.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">At most so many bytes; <see cref="long.MaxValue"/> for the rest.</param>
public readonly record struct ReadFileRequest(string Path, long Offset, long Length)
{
    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.Int64(Offset);
        w.Int64(Length);
    }

    public static ReadFileRequest Read(ref RecordReader r) => new(r.String(), r.Int64(), r.Int64());
}

/// <summary>Writes a file as a stream; parents are created. The old content stays until the new one is complete, then one rename replaces it.</summary>
/// <param name="Path">The file; a symbolic link is followed, and the file that it names is replaced.</param>
/// <param name="Mode">Permission bits; <see cref="KeepMode"/> keeps those of the file that is replaced, else 0644.</param>
/// <param name="Append">Add to the end instead, without the guarantee of the whole file.</param>
public readonly record struct WriteFileRequest(string Path, uint Mode, bool Append)
{
    /// <summary>Value of <see cref="Mode"/> that states no wish.</summary>
    public const uint KeepMode = uint.MaxValue;

    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.UInt32(Mode);
        w.Bool(Append);
    }

    public static WriteFileRequest Read(ref RecordReader r) => new(r.String(), r.UInt32(), r.Bool());
}

/// <summary>Body of the Closed frame of a write.</summary>
public readonly record struct WriteFileResult(long Bytes)
{
    public void Write(RecordWriter w) => w.Int64(Bytes);

    public static WriteFileResult Read(ref RecordReader r) => new(r.Int64());
}

/// <summary>Deletes a file, a link (never its target), or a directory.</summary>
/// <param name="Path">What to delete. Missing: <see cref="AgentStatus.NotFound"/>.</param>
/// <param name="Recursive">Delete a directory with all that is in it; otherwise only an empty one.</param>
public readonly record struct DeleteRequest(string Path, bool Recursive)
{
    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.Bool(Recursive);
    }

    public static DeleteRequest Read(ref RecordReader r) => new(r.String(), r.Bool());
}

/// <summary>Moves or renames, across file systems too.</summary>
public readonly record struct MoveRequest(string From, string To)
{
    public void Write(RecordWriter w)
    {
        w.String(From);
        w.String(To);
    }

    public static MoveRequest Read(ref RecordReader r) => new(r.String(), r.String());
}

/// <summary>Sets permission bits.</summary>
public readonly record struct ChmodRequest(string Path, uint Mode)
{
    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.UInt32(Mode);
    }

    public static ChmodRequest Read(ref RecordReader r) => new(r.String(), r.UInt32());
}

/// <summary>Makes a directory and its parents. One that is already there is success.</summary>
public readonly record struct MakeDirectoryRequest(string Path, uint Mode)
{
    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.UInt32(Mode);
    }

    public static MakeDirectoryRequest Read(ref RecordReader r) => new(r.String(), r.UInt32());
}

/// <summary>Finds paths: <c>*</c>, <c>?</c>, <c>[…]</c> within a name, <c>**</c> across directories. A leading dot needs a literal dot.</summary>
/// <param name="Pattern">Absolute, or relative to the default working directory.</param>
/// <param name="Limit">Stop after so many matches; 0 for 100,000.</param>
public readonly record struct GlobRequest(string Pattern, uint Limit)
{
    public void Write(RecordWriter w)
    {
        w.String(Pattern);
        w.UInt32(Limit);
    }

    public static GlobRequest Read(ref RecordReader r) => new(r.String(), r.UInt32());
}

/// <summary>Watches a directory (inotify).</summary>
public readonly record struct WatchRequest(string Path, bool Recursive)
{
    public void Write(RecordWriter w)
    {
        w.String(Path);
        w.Bool(Recursive);
    }

    public static WatchRequest Read(ref RecordReader r) => new(r.String(), r.Bool());
}

/// <summary>What happened to a watched path.</summary>
public enum WatchEventKind : byte
{
    Created = 1,
    Written = 2,
    Removed = 3,
    Renamed = 4,
    ModeChanged = 5,

    /// <summary>Events were lost: look again.</summary>
    Overflow = 6,
}

/// <summary>One event of a watch.</summary>
public readonly record struct WatchEvent(WatchEventKind Kind, string Path)
{
    public void Write(RecordWriter w)
    {
        w.Byte((byte)Kind);
        w.String(Path);
    }

    public static WatchEvent Read(ref RecordReader r) => new((WatchEventKind)r.Byte(), r.String());
}
