using System.Text;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Server.Endpoints;

/// <summary>Files of a sandbox. Content of any size goes by <c>PUT</c> and <c>GET</c> as raw bytes; the JSON forms carry small files.</summary>
internal sealed class FileEndpoints(SandboxFileAccess files)
{
    private const uint DirectoryMode = 0x1ED; // 0755

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/sandboxes/{id}/files", WriteAsync).RequireScope(Scopes.Api);
        api.MapPut("/sandboxes/{id}/files", UploadAsync).RequireScope(Scopes.Api);
        api.MapMethods("/sandboxes/{id}/files", [HttpMethods.Get, HttpMethods.Head], ReadAsync).RequireScope(Scopes.Read);
        api.MapDelete("/sandboxes/{id}/files", DeleteAsync).RequireScope(Scopes.Api);
        api.MapGet("/sandboxes/{id}/files/list", ListAsync).RequireScope(Scopes.Read);
        api.MapPost("/sandboxes/{id}/files/move", MoveAsync).RequireScope(Scopes.Api);
        api.MapPost("/sandboxes/{id}/files/chmod", ChmodAsync).RequireScope(Scopes.Api);
        api.MapPost("/sandboxes/{id}/files/mkdir", MakeDirectoryAsync).RequireScope(Scopes.Api);
        api.MapGet("/sandboxes/{id}/files/stat", StatAsync).RequireScope(Scopes.Read);
        api.MapGet("/sandboxes/{id}/files/glob", GlobAsync).RequireScope(Scopes.Read);
    }

    private async Task WriteAsync(HttpContext context)
    {
        WriteFileBody body = await JsonBody.ReadAsync(context, RestJson.Default.WriteFileBody);
        string path = RequestValues.CheckedPath(body.Path, "path");
        uint? mode = RequestValues.FileMode(body.Mode);
        using var content = new MemoryStream(Content(body), writable: false);
        await files.WriteAsync(context.SandboxId(), path, content, mode, context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "written");
    }

    private static byte[] Content(WriteFileBody body)
    {
        bool encoded = body.Encoding is "base64";
        if (!encoded && body.Encoding is { Length: > 0 } and not ("utf-8" or "utf8"))
            throw new StacyVMException(ProblemKind.InvalidInput, "encoding is base64 or utf-8");
        if (body.Content is not null && body.ContentBase64 is not null)
            throw new StacyVMException(ProblemKind.InvalidInput, "content and content_base64 exclude each other");
        try
        {
            return body.ContentBase64 is { } base64 ? Convert.FromBase64String(base64)
                : encoded ? Convert.FromBase64String(body.Content ?? "")
                : Encoding.UTF8.GetBytes(body.Content ?? "");
        }
        catch (FormatException e)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"{(encoded ? "content" : "content_base64")} is not base64", e);
        }
    }

    private async Task UploadAsync(HttpContext context)
    {
        context.AllowLongStreams();
        string path = context.RequiredPath("path");
        uint? mode = RequestValues.FileMode(context.Query("mode"));
        await files.WriteAsync(context.SandboxId(), path, context.Request.Body, mode, context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "written");
    }

    private async Task ReadAsync(HttpContext context)
    {
        string path = context.RequiredPath("path");
        string id = context.SandboxId();
        if (HttpMethods.IsHead(context.Request.Method))
            FileDownload.Describe(context, await files.StatAsync(id, path, context.Caller(), context.RequestAborted));
        else
            await FileDownload.SendAsync(context, id, path, files);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        string path = context.RequiredPath("path");
        await files.DeleteAsync(context.SandboxId(), path, context.Flag("recursive"), context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "deleted");
    }

    private async Task ListAsync(HttpContext context)
    {
        string path = context.Query("path") is { } given && !string.IsNullOrWhiteSpace(given) ? RequestValues.CheckedPath(given, "path") : "/";
        IReadOnlyList<FileEntry> entries = await files.ListAsync(context.SandboxId(), path, context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, [.. entries.Select(Info)], RestJson.Default.ListFileInfo);
    }

    private async Task MoveAsync(HttpContext context)
    {
        MoveFileBody body = await JsonBody.ReadAsync(context, RestJson.Default.MoveFileBody);
        string from = RequestValues.CheckedPath(body.OldPath, "old_path");
        string to = RequestValues.CheckedPath(body.NewPath, "new_path");
        await files.MoveAsync(context.SandboxId(), from, to, context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "moved");
    }

    private async Task ChmodAsync(HttpContext context)
    {
        ChmodFileBody body = await JsonBody.ReadAsync(context, RestJson.Default.ChmodFileBody);
        string path = RequestValues.CheckedPath(body.Path, "path");
        uint mode = RequestValues.FileMode(body.Mode) ?? throw new StacyVMException(ProblemKind.InvalidInput, "mode is required");
        await files.SetModeAsync(context.SandboxId(), path, mode, context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "chmod applied");
    }

    private async Task MakeDirectoryAsync(HttpContext context)
    {
        MakeDirectoryBody body = await JsonBody.ReadAsync(context, RestJson.Default.MakeDirectoryBody);
        string path = RequestValues.CheckedPath(body.Path, "path");
        uint mode = RequestValues.FileMode(body.Mode) ?? DirectoryMode;
        await files.MakeDirectoryAsync(context.SandboxId(), path, mode, context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "created");
    }

    private async Task StatAsync(HttpContext context)
    {
        string path = context.RequiredPath("path");
        FileEntry entry = await files.StatAsync(context.SandboxId(), path, context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, Info(entry), RestJson.Default.FileInfo);
    }

    private async Task GlobAsync(HttpContext context)
    {
        string pattern = context.RequiredPath("pattern");
        IReadOnlyList<string> paths = await files.GlobAsync(context.SandboxId(), pattern, context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, paths, RestJson.Default.IReadOnlyListString);
    }

    private static FileInfo Info(FileEntry entry) => new()
    {
        Path = entry.Path,
        Name = entry.Path == "/" ? "/" : entry.Path[(entry.Path.LastIndexOf('/') + 1)..],
        Size = entry.Size,
        Mode = Convert.ToString(entry.Mode & 0xFFF, 8).PadLeft(4, '0'),
        IsDir = entry.Kind == FileKind.Directory,
        ModTime = DateTime.UnixEpoch.AddSeconds(entry.ModifiedAt),
        Type = entry.Kind switch
        {
            FileKind.File => "file",
            FileKind.Directory => "directory",
            FileKind.SymbolicLink => "symlink",
            _ => "other",
        },
    };
}
