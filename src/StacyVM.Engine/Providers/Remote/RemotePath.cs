using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Remote;

/// <summary>Paths of sandboxes elsewhere. They are resolved there; here only what no path can be is refused.</summary>
internal static class RemotePath
{
    // PATH_MAX of Linux, with the NUL that ends it.
    private const int MostBytes = 4096 - 1;

    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public static string Check(string id, string path)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {id}: a path must not be empty");
        if (path.Contains('\0'))
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {id}: a path must not contain NUL");
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MostBytes)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {id}: a path must not be longer than {MostBytes} bytes");
        return path;
    }

    /// <summary>An entry as the child of the directory that was listed, whatever the other side calls it: by its name, relative or absolute.</summary>
    public static string Child(string directory, string told)
    {
        string name = told.TrimEnd('/');
        name = name[(name.LastIndexOf('/') + 1)..];
        return directory.EndsWith('/') ? directory + name : $"{directory}/{name}";
    }

    /// <summary>Permission bits as octal digits or as <c>ls</c> and Go write them; <paramref name="otherwise"/> for what is neither.</summary>
    public static uint Mode(string? text, uint otherwise)
    {
        if (string.IsNullOrEmpty(text))
            return otherwise;
        if (text.Length <= 7 && text.All(c => c is >= '0' and <= '7'))
            return Convert.ToUInt32(text, 8) & 0xFFF;
        if (text.Length < 10)
            return otherwise;
        uint mode = 0;
        ReadOnlySpan<char> letters = text.AsSpan(text.Length - 9);
        for (int i = 0; i < 9; i++)
            mode |= letters[i] is '-' or 'S' or 'T' ? 0 : 1u << (8 - i);
        return mode;
    }
}
