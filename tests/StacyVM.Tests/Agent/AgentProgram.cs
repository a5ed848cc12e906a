using System.Diagnostics;
using System.Net.Sockets;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

/// <summary>The published agent, started on a socket in a directory of its own; gone with all its processes when disposed.</summary>
internal sealed class AgentProgram : IDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private Socket _listener;
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _complaints = new();

    private AgentProgram(Process process, Socket listener, string directory)
    {
        (_process, _listener, Root) = (process, listener, directory);
        process.ErrorDataReceived += (_, line) => _complaints.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        Client = Accept();
    }

    /// <summary>Where the socket lies; <see cref="Directory"/> is below it.</summary>
    internal string Root { get; }

    /// <summary>The agent's default working directory.</summary>
    internal string Directory => Path.Combine(Root, "work");

    internal int Pid => _process.Id;

    /// <summary>The connection of the moment.</summary>
    internal AgentClient Client { get; private set; }

    internal bool IsRunning => !_process.HasExited;

    /// <summary>What the agent has said on its standard error.</summary>
    internal IReadOnlyCollection<string> Complaints => _complaints;

    internal static string Binary { get; } = Find();

    internal static AgentProgram Start(Dictionary<string, string>? variables = null, params string[] wrapper)
    {
        string root = System.IO.Directory.CreateTempSubdirectory("agent-").FullName;
        System.IO.Directory.CreateDirectory(Path.Combine(root, "work"));
        string socketPath = Path.Combine(root, "socket");
        Socket listener = Listen(socketPath);
        var start = new ProcessStartInfo { UseShellExecute = false, RedirectStandardError = true, WorkingDirectory = "/" };
        string[] command = [.. wrapper, Binary];
        start.FileName = command[0];
        foreach (string argument in command[1..])
            start.ArgumentList.Add(argument.Replace("{root}", root, StringComparison.Ordinal));
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
        start.Environment["INHERITED"] = "yes";
        start.Environment[AgentProtocol.DialVariable] = "unix:" + socketPath;
        start.Environment[AgentProtocol.TokenVariable] = "the-token";
        start.Environment[AgentProtocol.WorkdirVariable] = Path.Combine(root, "work");
        foreach ((string name, string value) in variables ?? [])
            start.Environment[name] = value;
        return new AgentProgram(Process.Start(start)!, listener, root);
    }

    /// <summary>Waits for the agent to dial and shakes hands.</summary>
    internal AgentClient Accept()
    {
        Client = new AgentClient(AcceptRaw());
        Client.Greet();
        return Client;
    }

    internal Socket AcceptRaw()
    {
        using var timeout = new CancellationTokenSource(Patience);
        return _listener.AcceptAsync(timeout.Token).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Goes away as a server does.</summary>
    internal void StopListening()
    {
        _listener.Dispose();
        File.Delete(Path.Combine(Root, "socket"));
    }

    internal void ListenAgain() => _listener = Listen(Path.Combine(Root, "socket"));

    /// <summary>Whether one of the agent's descriptors is of that kind.</summary>
    internal bool Holds(string kind) =>
        System.IO.Directory.GetFiles($"/proc/{Pid}/fd").Any(f => File.ResolveLinkTarget(f, false)?.Name.EndsWith(kind, StringComparison.Ordinal) == true);

    internal void WaitForExit() => Assert.True(_process.WaitForExit(Patience));

    internal string PathOf(string name) => Path.Combine(Directory, name);

    /// <summary>A line of <c>/proc/PID/status</c> of the agent, in kilobytes.</summary>
    internal long StatusKilobytes(string field) => long.Parse(
        File.ReadLines($"/proc/{Pid}/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal)).Split(' ', '\t').First(p => long.TryParse(p, out _)),
        System.Globalization.CultureInfo.InvariantCulture);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            try
            {
                Client.Call(ChannelKind.Shutdown);
            }
            catch (Exception e) when (e is IOException or TimeoutException or EndOfStreamException or SocketException)
            {
            }
            if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
                _process.Kill();
        }
        Client.Dispose();
        _listener.Dispose();
        _process.Dispose();
        System.IO.Directory.Delete(Root, recursive: true);
    }

    private static Socket Listen(string path)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, (UnixFileMode)0x1ff);
        listener.Listen(4);
        return listener;
    }

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Combine(at.FullName, "StacyVM.slnx")))
                continue;
            string binary = Path.Combine(at.FullName, "artifacts", "agent", "stacyvm-agent");
            return File.Exists(binary)
                ? binary
                : throw new InvalidOperationException(
                    "The agent is not published. Run: dotnet publish src/StacyVM.Agent -c Release -o artifacts/agent");
        }
        throw new InvalidOperationException("The repository's root was not found above the tests.");
    }
}
