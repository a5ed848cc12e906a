using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Events;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;

namespace StacyVM.Tests.Sandboxes;

/// <summary>An engine over a directory of its own, a clock that stands still, and a world that outlives restarts.</summary>
internal sealed class EngineFixture : IAsyncDisposable
{
    /// <summary>What hangs in a test hangs no longer than this.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static readonly Caller Anyone = new("api", null, null, "tester");

    private readonly CancellationTokenSource _listening = new();
    private readonly List<EventMessage> _seen = [];
    private readonly List<(Func<EventMessage, bool> Match, TaskCompletionSource<EventMessage> Found)> _awaited = [];

    private EngineFixture(StacyOptions options) => Options = options;

    public StacyOptions Options { get; private set; }

    public ScriptedWorld World { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public ScriptedProvider Provider { get; private set; } = null!;

    public StacyEngine Engine { get; private set; } = null!;

    public SandboxDirectory Sandboxes => Engine.Sandboxes;

    public IReadOnlyList<EventMessage> Seen
    {
        get
        {
            lock (_seen)
                return [.. _seen];
        }
    }

    public static async Task<EngineFixture> OpenAsync(Func<DefaultsOptions, DefaultsOptions>? defaults = null, Action<ScriptedProvider>? script = null)
    {
        var fixture = new EngineFixture(new StacyOptions
        {
            DataDir = Directory.CreateTempSubdirectory("stacyvm-test-").FullName,
            Defaults = (defaults ?? (value => value))(new DefaultsOptions()),
            Providers = new ProvidersOptions { Default = "scripted" },
        });
        await fixture.StartAsync(script);
        return fixture;
    }

    /// <summary>A new server over the same directory and the same world. The old one is stopped in order; its sandboxes live on.</summary>
    public async Task RestartAsync(Action<ScriptedProvider>? script = null, Func<StacyOptions, StacyOptions>? options = null, string providerName = "scripted")
    {
        await Engine.DisposeAsync();
        Options = (options ?? (value => value))(Options);
        await StartAsync(script, providerName);
    }

    /// <summary>Writes records as a killed server leaves them, with the engine stopped; follow it with <see cref="RestartAsync"/>.</summary>
    public async Task LeaveBehindAsync(params SandboxRecord[] records)
    {
        foreach (SandboxRecord record in records)
            await Engine.Store.SaveAsync(record);
    }

    public Task<SandboxInfo> SpawnAsync(string? ttl = null, string? owner = null, CancellationToken cancellation = default) =>
        Sandboxes.CreateAsync(new SpawnRequest { Ttl = ttl, OwnerId = owner }, Anyone, cancellation).WaitAsync(Patience);

    public SandboxInfo Get(string id) => Sandboxes.Get(id, Anyone);

    /// <summary>An event, past or to come.</summary>
    public Task<EventMessage> EventAsync(string type, string? id = null, Func<EventMessage, bool>? also = null)
    {
        bool Match(EventMessage message) => message.Type == type && (id is null || message.SandboxId == id) && (also is null || also(message));
        lock (_seen)
        {
            if (_seen.Find(Match) is { } past)
                return Task.FromResult(past);
            var found = new TaskCompletionSource<EventMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((Match, found));
            return found.Task.WaitAsync(Patience);
        }
    }

    public Task<EventMessage> ReconciledAsync(string id, string action) =>
        EventAsync("reconcile.action", id, message => message.Data!["action"] == action);

    public SandboxRecord Record(string id, string state, TimeSpan? left = null) => new()
    {
        Id = id,
        State = state,
        Provider = "scripted",
        Image = "host",
        MemoryMb = 64,
        Vcpus = 1,
        DiskMb = 64,
        CreatedAt = Time.GetUtcNow().UtcDateTime,
        UpdatedAt = Time.GetUtcNow().UtcDateTime,
        ExpiresAt = Time.GetUtcNow().UtcDateTime + (left ?? TimeSpan.FromMinutes(30)),
        Handle = state == SandboxStates.Creating ? null : ScriptedSandbox.HandleOf(id),
    };

    public ScriptedRuntime Run(string id) => World.Runtimes[id] = new ScriptedRuntime(id, "host");

    public async ValueTask DisposeAsync()
    {
        await _listening.CancelAsync();
        await Engine.DisposeAsync();
        Directory.Delete(Options.DataDir, recursive: true);
    }

    private async Task StartAsync(Action<ScriptedProvider>? script = null, string providerName = "scripted")
    {
        Provider = new ScriptedProvider(World, providerName);
        script?.Invoke(Provider);
        Engine = await StacyEngine.OpenAsync(
            Options, static () => new MemoryStream([0x7F]), NullLoggerFactory.Instance, Time, [(_, _) => Provider]);
        // From the first event on, also those before this line.
        _ = ListenAsync(Engine.Events.SubscribeAsync("", _listening.Token));
    }

    private async Task ListenAsync(IAsyncEnumerable<EventMessage> events)
    {
        await foreach (EventMessage message in events)
        {
            lock (_seen)
            {
                _seen.Add(message);
                foreach ((Func<EventMessage, bool> match, TaskCompletionSource<EventMessage> found) in _awaited.ToArray())
                {
                    if (match(message))
                        found.TrySetResult(message);
                }
            }
        }
    }
}
