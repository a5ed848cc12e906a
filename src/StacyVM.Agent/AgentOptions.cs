using System.Runtime.InteropServices;
using System.Text;
using StacyVM.Agent.Connection;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent;

/// <summary>What the agent was told at its start. Its private variables are wiped from memory once read, the secret first of all.</summary>
internal sealed unsafe class AgentOptions
{
    private AgentOptions()
    {
    }

    internal required DialAddress Dial { get; init; }

    internal required string Token { get; set; }

    internal required LinuxPath WorkingDirectory { get; set; }

    /// <summary>User of commands and of file operations; <see cref="uint.MaxValue"/> for the agent's own.</summary>
    internal uint User { get; set; } = StartProcessRequest.Inherit;

    internal uint Group { get; set; } = StartProcessRequest.Inherit;

    /// <summary>What commands inherit: the agent's environment without its private variables, ended by null.</summary>
    internal required byte** Environment { get; set; }

    /// <summary>A tracer stands between it and the kernel, and has to read its memory: it cannot close itself to its own user.</summary>
    internal bool IsTraced { get; init; }

    /// <summary>The limit on descriptors that commands get, where the agent raised its own.</summary>
    internal (ulong Soft, ulong Hard)? DescriptorLimit { get; set; }

    /// <summary>File through which a command joins the control group of all commands; null where the host keeps the groups.</summary>
    internal string? CommandGroup { get; private init; }

    internal int Pid { get; } = Libc.GetProcessId();

    internal bool IsInit => Pid == 1;

    /// <summary>Started by the server on the host itself, to start the runtimes of sandboxes.</summary>
    internal bool IsLauncher => Dial.Kind == DialKind.StandardStreams;

    /// <summary>Operations and processes at the same time. The launcher keeps one of each for every sandbox of the server.</summary>
    internal int MostAtOnce => IsLauncher ? 65_536 : 1024;

    /// <summary>The first process of a machine: who it is it learns from the host, later.</summary>
    internal static AgentOptions OfGuest(string port, string commandGroup) => new()
    {
        Dial = DialAddress.Parse("serial:" + port),
        Token = "",
        WorkingDirectory = LinuxPath.Of("/"u8),
        Environment = WithoutPrivate(Libc.GetEnvironment()),
        CommandGroup = commandGroup,
    };

    internal static AgentOptions Read(bool traced = false)
    {
        byte** environment = Libc.GetEnvironment();
        string dial = Take(environment, AgentProtocol.DialVariable);
        string token = Take(environment, AgentProtocol.TokenVariable);
        string workdir = Take(environment, AgentProtocol.WorkdirVariable);
        string user = Take(environment, AgentProtocol.UserVariable);
        if (dial.Length == 0)
            throw new OperationFailure(AgentStatus.InvalidArgument, AgentProtocol.DialVariable + " is not set");
        (uint uid, uint gid) = ParseUser(user);
        return new AgentOptions
        {
            Dial = DialAddress.Parse(dial),
            Token = token,
            WorkingDirectory = DefaultDirectory(workdir),
            User = uid,
            Group = gid,
            Environment = WithoutPrivate(environment),
            IsTraced = traced,
        };
    }

    private static LinuxPath DefaultDirectory(string named)
    {
        LinuxPath root = LinuxPath.Of("/"u8);
        if (named.Length > 0)
            return LinuxPath.Parse(Encoding.UTF8.GetBytes(named), root);
        int fd = Descriptor.Open("/workspace\0"u8, OpenFlags.PathOnly | OpenFlags.Directory);
        if (fd < 0)
            return root;
        Libc.Close(fd);
        return LinuxPath.Of("/workspace"u8);
    }

    private static (uint User, uint Group) ParseUser(string text)
    {
        if (text.Length == 0)
            return (StartProcessRequest.Inherit, StartProcessRequest.Inherit);
        string[] parts = text.Split(':');
        if (parts.Length == 2 && uint.TryParse(parts[0], out uint user) && uint.TryParse(parts[1], out uint group))
            return (user, group);
        throw new OperationFailure(AgentStatus.InvalidArgument, AgentProtocol.UserVariable + " must be uid:gid in numbers");
    }

    /// <summary>The variable's value, wiped where it lay: <c>/proc/PID/environ</c> shows that memory.</summary>
    private static string Take(byte** environment, string name)
    {
        byte[] prefix = Encoding.UTF8.GetBytes(name + "=");
        for (int i = 0; environment[i] != null; i++)
        {
            Span<byte> entry = MemoryMarshal.CreateSpan(
                ref *environment[i], MemoryMarshal.CreateReadOnlySpanFromNullTerminated(environment[i]).Length);
            if (!entry.StartsWith(prefix))
                continue;
            string value = Encoding.UTF8.GetString(entry[prefix.Length..]);
            entry.Clear();
            return value;
        }
        return "";
    }

    private static byte** WithoutPrivate(byte** environment)
    {
        byte[] prefix = Encoding.UTF8.GetBytes(AgentProtocol.VariablePrefix);
        int count = 0;
        while (environment[count] != null)
            count++;
        var kept = (byte**)NativeMemory.AllocZeroed((nuint)(count + 1), (nuint)sizeof(byte*));
        int to = 0;
        for (int i = 0; i < count; i++)
            if (*environment[i] != 0 && !MemoryMarshal.CreateReadOnlySpanFromNullTerminated(environment[i]).StartsWith(prefix))
                kept[to++] = environment[i];
        return kept;
    }
}
