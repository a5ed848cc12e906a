namespace StacyVM.Protocol.Agent;

/// <summary>How an operation ended. Each failure has its own number, so that nothing is ever decided by an error's text.</summary>
public enum AgentStatus : ushort
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>No such file, directory or process.</summary>
    NotFound = 1,

    /// <summary>A file was needed, a directory is there.</summary>
    IsDirectory = 2,

    /// <summary>A directory was needed, something else is there.</summary>
    NotDirectory = 3,

    /// <summary>The sandbox's user may not do that.</summary>
    PermissionDenied = 4,

    /// <summary>The target is already there.</summary>
    AlreadyExists = 5,

    /// <summary>The directory has entries and the request was not recursive.</summary>
    NotEmpty = 6,

    /// <summary>The file system or its quota is full.</summary>
    NoSpace = 7,

    /// <summary>The file system is read-only.</summary>
    ReadOnly = 8,

    /// <summary>The request makes no sense: relative path, NUL byte, unknown working directory, bad pattern.</summary>
    InvalidArgument = 9,

    /// <summary>A path or one of its names is too long, or its symbolic links form a loop.</summary>
    InvalidPath = 10,

    /// <summary>Nothing listens on that port.</summary>
    ConnectionRefused = 11,

    /// <summary>A limit of the sandbox was reached: processes, memory, descriptors.</summary>
    ResourceLimit = 12,

    /// <summary>The host cancelled the channel.</summary>
    Cancelled = 13,

    /// <summary>The host let go of a process that runs on.</summary>
    Detached = 14,

    /// <summary>This agent does not know the operation.</summary>
    Unsupported = 15,

    /// <summary>The file or device is in use.</summary>
    Busy = 16,

    /// <summary>Any other failure of the kernel; the message has its name.</summary>
    IoError = 17,
}
