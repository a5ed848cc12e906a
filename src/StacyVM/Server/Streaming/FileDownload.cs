using System.IO.Pipelines;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Streaming;

/// <summary>Sends a file as it is read, whole or a range of it, never more than a piece of it in memory.</summary>
internal static class FileDownload
{
    private const int PieceSize = 256 * 1024;

    /// <summary>The headers of a whole answer, for HEAD too.</summary>
    public static void Describe(HttpContext context, FileEntry entry)
    {
        if (entry.Kind == FileKind.Directory)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{entry.Path} is a directory");
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.AcceptRanges = "bytes";
        context.Response.Headers.LastModified = DateTimeOffset.FromUnixTimeSeconds(entry.ModifiedAt).ToString("R");
        // Files of /proc and the like have size 0 and content nevertheless: such a size promises nothing.
        if (entry.Size > 0)
            context.Response.ContentLength = entry.Size;
    }

    /// <summary>1 open, at the range's offset when that is known without the size; 2 answer what the size allows; 3 copy.</summary>
    public static async Task SendAsync(HttpContext context, string id, string path, SandboxFileAccess files)
    {
        context.AllowLongStreams();
        ByteRange? range = ByteRange.Parse(context.Request.Headers.Range);
        if (range is null)
        {
            await using FileContent whole = await files.OpenReadAsync(id, path, 0, long.MaxValue, context.Caller(), context.RequestAborted);
            Describe(context, whole.Entry);
            await CopyAsync(whole.Stream, context.Response.BodyWriter, context.Response.ContentLength ?? long.MaxValue, context.RequestAborted);
            return;
        }
        FileEntry entry = await files.StatAsync(id, path, context.Caller(), context.RequestAborted);
        Describe(context, entry);
        if (range.Value.Within(entry.Size) is not var (offset, length))
        {
            context.Response.ContentLength = null;
            context.Response.Headers.ContentRange = $"bytes */{entry.Size}";
            string code = Problem.Of(ProblemKind.InvalidInput).Code;
            await ProblemAnswer.WriteAsync(context, StatusCodes.Status416RangeNotSatisfiable, code, $"the range lies outside the {entry.Size} bytes of {path}");
            return;
        }
        await using FileContent part = await files.OpenReadAsync(id, path, offset, length, context.Caller(), context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        context.Response.ContentLength = length;
        context.Response.Headers.ContentRange = $"bytes {offset}-{offset + length - 1}/{entry.Size}";
        await CopyAsync(part.Stream, context.Response.BodyWriter, length, context.RequestAborted);
    }

    private static async Task CopyAsync(Stream from, PipeWriter to, long most, CancellationToken cancellation)
    {
        while (most > 0)
        {
            Memory<byte> room = to.GetMemory(PieceSize);
            int count = await from.ReadAsync(room[..(int)Math.Min(room.Length, most)], cancellation);
            if (count == 0)
                return;
            to.Advance(count);
            most -= count;
            await to.FlushAsync(cancellation);
        }
    }
}
