using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>
/// Reads the requests of file operations. Their messages carry paths as text; here they are taken as the bytes they travel as, so that
/// every name that exists can be named.
/// </summary>
internal static class FileOperations
{
    private const uint DefaultGlobLimit = 100_000;

    /// <summary>Null for a kind that is none of files.</summary>
    internal static IOperation? Read(ChannelKind kind, ref RecordReader request, AgentOptions options)
    {
        LinuxPath origin = options.WorkingDirectory;
        switch (kind)
        {
            case ChannelKind.ReadFile:
                return new ReadFileOperation(LinuxPath.Parse(request.Blob(), origin), request.Int64(), request.Int64());
            case ChannelKind.WriteFile:
                ReadOnlySpan<byte> target = request.Blob();
                RefuseTrailingSlash(target);
                return new WriteFileOperation(LinuxPath.Parse(target, origin), request.UInt32(), request.Bool());
            case ChannelKind.Stat:
                return new StatOperation(LinuxPath.Parse(request.Blob(), origin));
            case ChannelKind.List:
                return new ListOperation(LinuxPath.Parse(request.Blob(), origin));
            case ChannelKind.Delete:
                return new DeleteOperation(LinuxPath.Parse(request.Blob(), origin), request.Bool());
            case ChannelKind.Move:
                return new MoveOperation(LinuxPath.Parse(request.Blob(), origin), LinuxPath.Parse(request.Blob(), origin));
            case ChannelKind.Chmod:
                return new ChmodOperation(LinuxPath.Parse(request.Blob(), origin), request.UInt32());
            case ChannelKind.MakeDirectory:
                return new MakeDirectoryOperation(LinuxPath.Parse(request.Blob(), origin), request.UInt32());
            case ChannelKind.Glob:
                LinuxPath pattern = LinuxPath.Parse(request.Blob(), origin);
                uint limit = request.UInt32();
                return new GlobOperation(pattern, limit == 0 ? DefaultGlobLimit : Math.Min(limit, DefaultGlobLimit));
            default:
                return null;
        }
    }

    private static void RefuseTrailingSlash(ReadOnlySpan<byte> path)
    {
        if (path.EndsWith("/"u8))
            throw new OperationFailure(AgentStatus.IsDirectory, "the path names a directory");
    }
}
