using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Server;
using StacyVM.Tests.Server.Scripted;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>A real server on a free loopback port over a real engine whose only level is scripted.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly StacyEngine _engine;
    private readonly string _directory;
    private readonly ILoggerFactory _loggers;

    private RunningServer(StacyServer server, StacyEngine engine, ScriptedProvider provider, ILoggerFactory loggers, LogLines log, string directory)
    {
        (Server, _engine, Provider, _loggers, Log, _directory) = (server, engine, provider, loggers, log, directory);
        Port = new Uri(server.Addresses.First().Replace("[::]", "127.0.0.1").Replace("0.0.0.0", "127.0.0.1")).Port;
        Http = NewClient();
    }

    public StacyServer Server { get; }

    public ScriptedProvider Provider { get; }

    public int Port { get; }

    public HttpClient Http { get; }

    public LogLines Log { get; }

    public StacyEngine Engine => _engine;

    public static async Task<RunningServer> StartAsync(
        Func<ServerOptions, ServerOptions>? server = null, AuthOptions? auth = null, TimeProvider? time = null, string? directory = null,
        DefaultsOptions? defaults = null, RateLimitOptions? rateLimit = null, Func<StacyOptions, StacyOptions>? adjust = null,
        ConfigurationEditor? editor = null)
    {
        directory ??= Directory.CreateTempSubdirectory("stacyvm-http-").FullName;
        var options = new StacyOptions
        {
            DataDir = directory,
            Server = (server ?? (given => given))(new ServerOptions { Port = 0 }),
            Auth = auth ?? new AuthOptions(),
            Defaults = defaults ?? new DefaultsOptions(),
            RateLimit = rateLimit ?? new RateLimitOptions(),
            Providers = new ProvidersOptions { Default = "scripted" },
        };
        options = (adjust ?? (given => given))(options);
        var provider = new ScriptedProvider();
        var log = new LogLines();
        ILoggerFactory loggers = LoggerFactory.Create(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace));
        StacyEngine engine = await StacyEngine.OpenAsync(options, () => Stream.Null, loggers, providers: [(_, _) => provider]);
        try
        {
            StacyServer built = await StacyServer.BuildAsync(options, engine, loggers, time, editor);
            await built.StartAsync();
            return new RunningServer(built, engine, provider, loggers, log, directory);
        }
        catch
        {
            await engine.DisposeAsync();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    public HttpClient NewClient() => new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{Port}/api/v1/"),
        Timeout = TimeSpan.FromSeconds(30),
    };

    public async Task<string> SpawnAsync()
    {
        (int status, JsonElement body) = await SendAsync(HttpMethod.Post, "sandboxes", "{}");
        Assert.True(status == 201, $"{status} {body}");
        return body.GetProperty("id").GetString()!;
    }

    public async Task<(int Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage answer = await AnswerAsync(method, path, body, headers);
        string text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public async Task<HttpResponseMessage> AnswerAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body) };
        foreach ((string name, string value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Sends bytes as they are and reads until the server closes, or until the text appears.</summary>
    public async Task<string> RawAsync(string request, string? until = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        var answer = new StringBuilder();
        byte[] buffer = new byte[4096];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        int count;
        while ((until is null || !answer.ToString().Contains(until)) && (count = await stream.ReadAsync(buffer, patience.Token)) > 0)
            answer.Append(Encoding.Latin1.GetString(buffer, 0, count));
        return answer.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.StopAsync();
        await Server.DisposeAsync();
        await _engine.DisposeAsync();
        _loggers.Dispose();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }
}
