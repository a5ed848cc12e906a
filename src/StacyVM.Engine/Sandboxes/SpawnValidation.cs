using System.Text;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Quotas;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Turns a spawn request into a plan, or says what is wrong with it.</summary>
internal sealed class SpawnValidation(DefaultsOptions defaults, OwnerQuotas quotas)
{
    /// <summary>What the SDKs send when their caller names no image.</summary>
    public const string SdkDefaultImage = "alpine:latest";

    private const int MaxImageLength = 512;
    private const int MinMemoryMb = 16;
    private const int MaxMemoryMb = 1_048_576;
    private const int MaxVcpus = 256;
    private const int MaxMetadata = 64;
    private const int MaxMetadataName = 128;
    private const int MaxMetadataValue = 4_096;

    /// <summary>Whether the plan keeps to the limits is not decided here.</summary>
    /// <exception cref="StacyVMException">InvalidInput.</exception>
    public SpawnPlan Plan(SpawnRequest request, Caller caller)
    {
        string wished = request.Image?.Trim() ?? "";
        string image = wished.Length == 0 ? defaults.Image : wished;
        CheckImage(image);
        string owner = OwnerOf(request, caller);
        return new SpawnPlan(
            new SandboxSpec
            {
                Image = image,
                // The SDKs always send their own default, so that text is no wish either.
                ImageIsDefault = image == SdkDefaultImage || image == defaults.Image,
                MemoryMb = CheckMemory(request.MemoryMb is null or 0 ? defaults.MemoryMb : request.MemoryMb.Value),
                Vcpus = CheckVcpus(request.Vcpus is null or 0 ? defaults.Vcpus : request.Vcpus.Value, "vcpus"),
                DiskMb = defaults.DiskSizeMb,
                Metadata = CheckMetadata(request.Metadata),
            },
            TtlOf(request.Ttl, owner),
            owner,
            caller.Tenant ?? "");
    }

    /// <summary>A new life from now on, for spawn and for extend.</summary>
    public static TimeSpan CheckTtl(TimeSpan ttl) =>
        ttl > TimeSpan.Zero ? ttl : throw Invalid($"ttl must be positive, and is {GoDuration.Format(ttl)}");

    private static string OwnerOf(SpawnRequest request, Caller caller)
    {
        // Where owners are kept apart, nobody makes sandboxes in another's name.
        if (caller is { IsIsolated: true, Owner: null } && !string.IsNullOrWhiteSpace(request.OwnerId))
            throw Invalid("owner_id cannot be chosen, as auth.owner_isolation is on: the owner is the caller, who names itself by X-User-ID");
        return OwnerName.Check(caller.Owner ?? request.OwnerId);
    }

    private TimeSpan TtlOf(string? text, string owner)
    {
        // Who names none is not refused for the default being longer than the maximum.
        if (string.IsNullOrEmpty(text))
            return CheckTtl(quotas.LimitsOf(owner).Shortened(defaults.Ttl));
        if (!GoDuration.TryParse(text, out TimeSpan ttl))
            throw Invalid($"ttl \"{Shown(text)}\" is not a duration: write it as 30m, 1h30m or 90s");
        return CheckTtl(ttl);
    }

    public static void CheckImage(string image)
    {
        if (image.Length > MaxImageLength)
            throw Invalid($"image is longer than {MaxImageLength} characters");
        // The characters of an OCI reference; a leading dash would be an option to programs that get it as an argument.
        if (!char.IsAsciiLetterOrDigit(image[0]) || image.AsSpan().ContainsAnyExcept(ImageCharacters))
            throw Invalid($"image \"{Shown(image)}\" is not an image name: letters, digits and . _ - + / : @ only, beginning with a letter or digit");
    }

    private static readonly System.Buffers.SearchValues<char> ImageCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/:@");

    public static int CheckMemory(int chosen) => Bounded("memory_mb", chosen, MinMemoryMb, MaxMemoryMb);

    /// <param name="chosen">Processors.</param>
    /// <param name="name">The field's name, for the message.</param>
    public static int CheckVcpus(int chosen, string name) => Bounded(name, chosen, 1, MaxVcpus);

    private static int Bounded(string name, int chosen, int least, int most) =>
        chosen >= least && chosen <= most ? chosen : throw Invalid($"{name} is {chosen}, and must be between {least} and {most}");

    public static Dictionary<string, string> CheckMetadata(IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null)
            return [];
        if (metadata.Count > MaxMetadata)
            throw Invalid($"metadata has {metadata.Count} entries, and may have {MaxMetadata}");
        foreach ((string name, string? value) in metadata)
        {
            if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > MaxMetadataName || name.Contains('\0'))
                throw Invalid($"metadata name \"{Shown(name)}\" must have 1 to {MaxMetadataName} bytes and no NUL");
            if (value is null || Encoding.UTF8.GetByteCount(value) > MaxMetadataValue || value.Contains('\0'))
                throw Invalid($"metadata value of \"{Shown(name)}\" must be a text of at most {MaxMetadataValue} bytes without NUL");
        }
        return new Dictionary<string, string>(metadata);
    }

    /// <summary>Someone else's text in our sentence: short, and without characters that act on a terminal.</summary>
    public static string Shown(string text)
    {
        string start = text.Length > 80 ? text[..80] + "…" : text;
        return string.Create(start.Length, start, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) ? '?' : source[i];
        });
    }

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);
}
