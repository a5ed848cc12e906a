using System.Runtime.CompilerServices;
using System.Text;

namespace StacyVM.Sdk.Http;

/// <summary>Lines of a streamed answer, as they come.</summary>
internal static class LineReader
{
    /// <exception cref="ConnectionException">The stream broke before its end.</exception>
    public static async IAsyncEnumerable<string> ReadLinesAsync(Stream body, ApiConnection connection, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var reader = new StreamReader(body, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 16 * 1024, leaveOpen: true);
        while (true)
        {
            string? line;
            try
            {
                line = await reader.ReadLineAsync(cancellation).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException)
            {
                throw connection.Unreachable(fault);
            }
            if (line is null)
                yield break;
            yield return line;
        }
    }
}
