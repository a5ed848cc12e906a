using System.Text;

namespace StacyVM.Engine.Linux;

/// <summary>The last lines of a file that grows.</summary>
internal static class ConsoleTail
{
    private const int Longest = 64 * 1024;

    /// <summary>Oldest first, without empty ones; none when it cannot be read.</summary>
    public static IReadOnlyList<string> Read(string path, int lines)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
            file.Seek(-Math.Min(file.Length, Longest), SeekOrigin.End);
            byte[] text = new byte[Longest];
            int count = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return [.. Encoding.UTF8.GetString(text, 0, count).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(lines)];
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
