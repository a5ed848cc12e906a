namespace StacyVM.Protocol.Agent;

/// <summary>
/// Makes a machine that has just been started, or restored from a copy of another, one sandbox and no other: before any command runs it has its
/// own names, secret, randomness and the host's clock.
/// </summary>
public sealed record IdentityRequest
{
    /// <summary>Host name, and the sandbox that the agent speaks for from now on.</summary>
    public required string SandboxId { get; init; }

    /// <summary>What the agent presents from the next handshake on.</summary>
    public required string Token { get; init; }

    /// <summary>32 hexadecimal digits for <c>/etc/machine-id</c>.</summary>
    public required string MachineId { get; init; }

    /// <summary>Random bytes of the host; the guest's kernel mixes them in, counts them as entropy and reseeds its generator.</summary>
    public required byte[] Entropy { get; init; }

    /// <summary>The host's clock, Unix time in microseconds.</summary>
    public required long UnixMicroseconds { get; init; }

    /// <summary>User of commands and of file operations.</summary>
    public required uint User { get; init; }

    /// <inheritdoc cref="User"/>
    public required uint Group { get; init; }

    /// <summary>Working directory of a command that names none; made when it is not there.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>What commands inherit.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>Small files of <c>/etc</c>, by name, with their content.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Files { get; init; } = [];

    /// <summary>Bound of the processes of all commands together; 0: none.</summary>
    public uint Processes { get; init; }

    /// <summary>Bound of their memory; 0: none.</summary>
    public ulong MemoryBytes { get; init; }

    public void Write(RecordWriter w)
    {
        w.String(SandboxId);
        w.String(Token);
        w.String(MachineId);
        w.Blob(Entropy);
        w.Int64(UnixMicroseconds);
        w.UInt32(User);
        w.UInt32(Group);
        w.String(WorkingDirectory);
        Pairs(w, Environment);
        Pairs(w, Files);
        w.UInt32(Processes);
        w.UInt64(MemoryBytes);
    }

    public static IdentityRequest Read(ref RecordReader r) => new()
    {
        SandboxId = r.String(),
        Token = r.String(),
        MachineId = r.String(),
        Entropy = r.Blob().ToArray(),
        UnixMicroseconds = r.Int64(),
        User = r.UInt32(),
        Group = r.UInt32(),
        WorkingDirectory = r.String(),
        Environment = Pairs(ref r),
        Files = Pairs(ref r),
        Processes = r.UInt32(),
        MemoryBytes = r.UInt64(),
    };

    private static void Pairs(RecordWriter w, IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        w.UInt32((uint)pairs.Count);
        foreach ((string name, string value) in pairs)
        {
            w.String(name);
            w.String(value);
        }
    }

    private static KeyValuePair<string, string>[] Pairs(ref RecordReader r)
    {
        var pairs = new KeyValuePair<string, string>[r.Count(r.UInt32(), 8)];
        for (int i = 0; i < pairs.Length; i++)
            pairs[i] = new(r.String(), r.String());
        return pairs;
    }
}

/// <summary>Holds every command still, or lets them go on.</summary>
public readonly record struct HoldRequest(bool Hold)
{
    public void Write(RecordWriter w) => w.Bool(Hold);

    public static HoldRequest Read(ref RecordReader r) => new(r.Bool());
}
