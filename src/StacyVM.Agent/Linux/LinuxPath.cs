using System.Text;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Linux;

/// <summary>
/// An absolute path as the kernel knows it: bytes, not text, so that a name that is not UTF-8 is as good as any other.
/// </summary>
internal readonly struct LinuxPath
{
    private const int Longest = 4095;
    private readonly byte[] _bytes;

    private LinuxPath(byte[] terminated) => _bytes = terminated;

    /// <summary>With the NUL behind it, ready for <c>fixed</c>.</summary>
    internal byte[] Terminated => _bytes;

    internal ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _bytes.Length - 1);

    internal bool IsRoot => _bytes.Length == 2;

    /// <summary>The last component.</summary>
    internal ReadOnlySpan<byte> Name => Bytes[(Bytes.LastIndexOf((byte)'/') + 1)..];

    /// <summary>The path without its last component; the root is its own parent.</summary>
    internal LinuxPath Parent
    {
        get
        {
            int slash = Bytes.LastIndexOf((byte)'/');
            return slash <= 0 ? Of("/"u8) : Of(Bytes[..slash]);
        }
    }

    /// <summary>
    /// The absolute form of what a request names: relative paths start at <paramref name="origin"/>; doubled and trailing slashes and
    /// <c>.</c> go. <c>..</c> stays: only the kernel knows where it leads behind a symbolic link.
    /// </summary>
    internal static LinuxPath Parse(ReadOnlySpan<byte> path, LinuxPath origin)
    {
        if (path.IsEmpty)
            throw new OperationFailure(AgentStatus.InvalidArgument, "the path is empty");
        if (path.Contains((byte)0))
            throw new OperationFailure(AgentStatus.InvalidArgument, "the path has a NUL byte in it");
        if (path[0] != '/')
        {
            byte[] joined = new byte[origin.Bytes.Length + 1 + path.Length];
            origin.Bytes.CopyTo(joined);
            joined[origin.Bytes.Length] = (byte)'/';
            path.CopyTo(joined.AsSpan(origin.Bytes.Length + 1));
            path = joined;
        }
        byte[] clean = new byte[path.Length + 2];
        int length = 0;
        while (!path.IsEmpty)
        {
            int slash = path.IndexOf((byte)'/');
            ReadOnlySpan<byte> component = slash < 0 ? path : path[..slash];
            path = slash < 0 ? [] : path[(slash + 1)..];
            if (component.IsEmpty || component.SequenceEqual("."u8))
                continue;
            clean[length++] = (byte)'/';
            component.CopyTo(clean.AsSpan(length));
            length += component.Length;
        }
        if (length == 0)
            clean[length++] = (byte)'/';
        if (length > Longest)
            throw new OperationFailure(AgentStatus.InvalidPath, "the path is longer than 4,095 bytes");
        return new LinuxPath(clean.AsSpan(0, length + 1).ToArray());
    }

    /// <summary>A path that is already absolute and clean.</summary>
    internal static LinuxPath Of(ReadOnlySpan<byte> absolute)
    {
        byte[] terminated = new byte[absolute.Length + 1];
        absolute.CopyTo(terminated);
        return new LinuxPath(terminated);
    }

    internal LinuxPath Append(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> prefix = IsRoot ? [] : Bytes;
        byte[] terminated = new byte[prefix.Length + name.Length + 2];
        prefix.CopyTo(terminated);
        terminated[prefix.Length] = (byte)'/';
        name.CopyTo(terminated.AsSpan(prefix.Length + 1));
        return new LinuxPath(terminated);
    }

    public override string ToString() => Encoding.UTF8.GetString(Bytes);
}
