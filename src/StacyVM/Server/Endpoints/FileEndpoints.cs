using System.Text;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Server.Endpoints;

/// <summary>Files of a sandbox. Content of any size goes by <c>PUT</c> and <c>GET</c> as raw bytes; the JSON forms carry small files.</summary>
internal sealed class FileEndpoints(SandboxFileAccess files)
{
    private const uint DirectoryMode = 0x1ED; // 0755

    private static readonly ProblemKind[] Problems =
        [ProblemKind.NotFound, ProblemKind.Forbidden, ProblemKind.Conflict, ProblemKind.SandboxDestroyed, ProblemKind.SandboxGone, ProblemKind.StorageFull];

    public void Map(IEndpointRouteBuilder api)
    {
        MapContent(api);
        MapNames(api);
    }

    private void MapContent(IEndpointRouteBuilder api)
    {
        api.MapPost("/sandboxes/{id}/files", WriteAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "writeFile", "Write a small file", "Parent directories are made.")
            .Takes(RestJson.Default.WriteFileBody, """{"path":"/workspace/notes.txt","content":"hello, world","mode":"0644"}""", "path")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"written"}""")
            .Fails(Problems));
        api.MapPut("/sandboxes/{id}/files", UploadAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "uploadFile", "Write a file of any size", "Parent directories are made.")
            .Query("path", "Where it goes, absolute.", required: true, example: "/workspace/data.bin")
            .Query("mode", "Octal text; 0644 for a new file when absent.", example: "0644")
            .TakesBytes("The content of the file.")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"written"}""")
            .Fails(Problems));
        api.MapMethods("/sandboxes/{id}/files", [HttpMethods.Get, HttpMethods.Head], ReadAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "readFile", "Read a file", "Takes ranges.")
            .Query("path", "The file, absolute.", required: true, example: "/workspace/notes.txt")
            .Header("Range", "One range of bytes.", "bytes=0-99")
            .AnswersWith(200, "application/octet-stream", "The content of the file.")
            .AnswersWith(206, "application/octet-stream", "The range of it that was asked for.")
            .AnswersWith(416, RestJson.Default.ErrorBody, """{"code":"BAD_REQUEST","message":"the range lies outside the 12 bytes of /workspace/notes.txt"}""", "The range lies outside of the file.")
            .Fails(Problems));
        api.MapDelete("/sandboxes/{id}/files", DeleteAsync).RequireScope(Scopes.Api).Describe(new RouteDescription("deleteFile", "Delete a file or directory")
            .Query("path", "What to delete, absolute.", required: true, example: "/workspace/notes.txt")
            .Query("recursive", "`true` deletes directories with all that is in them.", "boolean", example: "true")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"deleted"}""")
            .Fails(Problems));
    }

    private void MapNames(IEndpointRouteBuilder api)
    {
        api.MapGet("/sandboxes/{id}/files/list", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listFiles", "List a directory")
            .Query("path", "The directory, absolute; `/` when absent.", example: "/workspace")
            .AnswersWith(200, RestJson.Default.ListFileInfo, RouteExamples.ListOf(RouteExamples.File))
            .Fails(Problems));
        api.MapPost("/sandboxes/{id}/files/move", MoveAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "moveFile", "Move or rename", "Parent directories of the new path are made.")
            .Takes(RestJson.Default.MoveFileBody, """{"old_path":"/workspace/notes.txt","new_path":"/workspace/old/notes.txt"}""", "old_path", "new_path")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"moved"}""")
            .Fails(Problems));
        api.MapPost("/sandboxes/{id}/files/chmod", ChmodAsync).RequireScope(Scopes.Api).Describe(new RouteDescription("chmodFile", "Set the mode of a file")
            .Takes(RestJson.Default.ChmodFileBody, """{"path":"/workspace/run.sh","mode":"0755"}""", "path", "mode")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"chmod applied"}""")
            .Fails(Problems));
        api.MapPost("/sandboxes/{id}/files/mkdir", MakeDirectoryAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "makeDirectory", "Make a directory", "With its parents.")
            .Takes(RestJson.Default.MakeDirectoryBody, """{"path":"/workspace/data","mode":"0755"}""", "path")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"created"}""")
            .Fails(Problems));
        api.MapGet("/sandboxes/{id}/files/stat", StatAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("statFile", "Inspect a file")
            .Query("path", "The file or directory, absolute.", required: true, example: "/workspace/notes.txt")
            .AnswersWith(200, RestJson.Default.FileInfo, RouteExamples.File)
            .Fails(Problems));
        api.MapGet("/sandboxes/{id}/files/glob", GlobAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("globFiles", "Find files by pattern")
            .Query("pattern", "Shell pattern, absolute; `**` goes into directories.", required: true, example: "/workspace/**/*.txt")
            .AnswersWith(200, RestJson.Default.IReadOnlyListString, """["/workspace/notes.txt"]""", "Absolute paths.")
            .Fails(Problems));
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
