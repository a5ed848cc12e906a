using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>A Docker daemon of which only the image calls exist, and which pulls when it is told to.</summary>
internal sealed class FakeEngine : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-engine-").FullName;
    private readonly HashSet<string> _images = [];
    private readonly WebApplication _application;
    private readonly TaskCompletionSource<string> _pull = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _pulls;

    private FakeEngine()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.ListenUnixSocket(Path.Combine(_directory, "docker.sock")));
        _application = builder.Build();
        _application.Run(AnswerAsync);
    }

    public string Socket => $"unix://{_directory}/docker.sock";

    /// <summary>Pulls that have been asked for.</summary>
    public int Pulls => Volatile.Read(ref _pulls);

    /// <summary>Completes when a pull has been asked for.</summary>
    public TaskCompletionSource PullBegan { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a client has let go of a pull.</summary>
    public TaskCompletionSource PullAbandoned { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<FakeEngine> StartAsync(params string[] images)
    {
        var engine = new FakeEngine();
        engine._images.UnionWith(images);
        await engine._application.StartAsync();
        return engine;
    }

    public void PullSucceeds() => _pull.TrySetResult("");

    /// <summary>As a daemon does it: status 200, and the failure as the last message.</summary>
    public void PullFails(string reason) => _pull.TrySetResult(reason);

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        path = path[path.IndexOf("/images/", StringComparison.Ordinal)..];
        if (path == "/images/create")
            await PullAsync(context);
        else if (path == "/images/json")
            await context.Response.WriteAsync("[" + string.Join(',', _images.Select(name => $$"""{"Id":"sha256:1","RepoTags":["{{name}}"]}""")) + "]");
        else if (_images.Contains(Uri.UnescapeDataString(path["/images/".Length..^"/json".Length])))
            await context.Response.WriteAsync("""{"Id":"sha256:1","Config":{"Env":["PATH=/bin","HOME=/home/app"]}}""");
        else
        {
            context.Response.StatusCode = 404;
            await context.Response.WriteAsync("""{"message":"no such image"}""");
        }
    }

    private async Task PullAsync(HttpContext context)
    {
        Interlocked.Increment(ref _pulls);
        context.Response.ContentType = "application/json";
        string[] messages =
        [
            """{"status":"Pulling from library/x","id":"latest"}""",
            """{"status":"Pulling fs layer","id":"aaa"}""",
            """{"status":"Downloading","id":"aaa","progressDetail":{"current":1,"total":2}}""",
            """{"status":"Downloading","id":"aaa","progressDetail":{"current":2,"total":2}}""",
            """{"status":"Pull complete","id":"aaa"}""",
        ];
        foreach (string message in messages)
            await context.Response.WriteAsync(message + "\r\n");
        await context.Response.Body.FlushAsync();
        PullBegan.TrySetResult();
        try
        {
            string failure = await _pull.Task.WaitAsync(context.RequestAborted);
            if (failure.Length > 0)
                await context.Response.WriteAsync($$"""{"errorDetail":{"message":"{{failure}}"},"error":"{{failure}}"}""" + "\r\n");
            else
                _images.Add(context.Request.Query["fromImage"] + ":" + context.Request.Query["tag"]);
        }
        catch (OperationCanceledException)
        {
            PullAbandoned.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        PullFails("the test is over");
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
