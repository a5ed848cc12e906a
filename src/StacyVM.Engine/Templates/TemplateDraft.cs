using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Templates;

/// <summary>A template as a client asks for it, over the one that is there, with the two spellings of a thing made one. Its secrets are not in it yet.</summary>
internal static class TemplateDraft
{
    private const int DefaultMemoryMb = 512;
    private const int DefaultCores = 1;
    private const int DefaultTtlSeconds = 300;

    /// <param name="request">What is not given is kept, or gets its default.</param>
    /// <param name="name">Its name.</param>
    /// <param name="before">The template that is replaced; null for a new one.</param>
    /// <param name="now">UTC.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for spellings that contradict each other and for a bad duration.</exception>
    public static Template Make(TemplateRequest request, string name, Template? before, DateTime now) => new()
    {
        Name = name,
        Version = before is null ? NotZero(request.Version) ?? 1 : before.Version + 1,
        Image = request.Image?.Trim() ?? before?.Image ?? "",
        Description = request.Description ?? before?.Description ?? "",
        Provider = request.Provider?.Trim() ?? before?.Provider ?? "",
        MemoryMb = NotZero(request.MemoryMb) ?? before?.MemoryMb ?? DefaultMemoryMb,
        CpuCores = Agreed("vcpus", NotZero(request.Vcpus), "cpu_cores", NotZero(request.CpuCores), before?.CpuCores) ?? DefaultCores,
        TtlSeconds = Agreed("ttl", SecondsOf(request.Ttl), "ttl_seconds", NotZero(request.TtlSeconds), before?.TtlSeconds) ?? DefaultTtlSeconds,
        Setup = Commands(request, before?.Setup),
        Files = request.Files ?? before?.Files ?? new Dictionary<string, string>(),
        Env = request.Env ?? before?.Env ?? new Dictionary<string, string>(),
        Secrets = before?.Secrets ?? [],
        AllowedHosts = request.AllowedHosts ?? before?.AllowedHosts ?? [],
        Metadata = request.Metadata ?? before?.Metadata ?? new Dictionary<string, string>(),
        PoolSize = request.PoolSize ?? before?.PoolSize ?? 0,
        CreatedAt = before?.CreatedAt ?? now,
        UpdatedAt = now,
    };

    private static int? NotZero(int? value) => value is 0 ? null : value;

    /// <summary>
    /// Both spellings, or the one that is given, or what was there. A client that changes one and sends the other back as it read it means the change.
    /// </summary>
    private static int? Agreed(string name, int? value, string otherName, int? other, int? before)
    {
        if (value is null || other is null || value == other)
            return value ?? other ?? before;
        if (value == before)
            return other;
        return other == before ? value : throw Contradiction(name, otherName);
    }

    private static IReadOnlyList<string> Commands(TemplateRequest request, IReadOnlyList<string>? before)
    {
        IReadOnlyList<string>? setup = request.Setup;
        IReadOnlyList<string>? init = request.InitCommands;
        if (setup is null || init is null || setup.SequenceEqual(init))
            return setup ?? init ?? before ?? [];
        if (before is not null && setup.SequenceEqual(before))
            return init;
        return before is not null && init.SequenceEqual(before) ? setup : throw Contradiction("setup", "init_commands");
    }

    private static int? SecondsOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (!GoDuration.TryParse(text, out TimeSpan ttl))
            throw Invalid($"ttl \"{SpawnValidation.Shown(text)}\" is not a duration: write it as 30m, 1h30m or 90s");
        if (ttl.Ticks % TimeSpan.TicksPerSecond != 0 || ttl.TotalSeconds is < 1 or > int.MaxValue)
            throw Invalid($"ttl \"{SpawnValidation.Shown(text)}\" must be one second or more, in whole seconds");
        return (int)ttl.TotalSeconds;
    }

    private static StacyVMException Contradiction(string name, string other) => Invalid($"{name} and {other} mean the same and contradict each other: give one of them");

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);
}
