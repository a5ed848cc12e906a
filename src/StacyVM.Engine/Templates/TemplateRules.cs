using System.Text;
using System.Text.RegularExpressions;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Templates;

/// <summary>What a template must be like before it is kept. Every fault is told with the field, never with a value that could be a secret.</summary>
internal static partial class TemplateRules
{
    private const int MaxName = 128;
    private const int MaxDescription = 4_096;
    private const int MaxProvider = 64;
    private const int MaxCommands = 64;
    private const int MaxCommandBytes = 64 * 1024;
    private const int MaxFiles = 64;
    private const int MaxFileBytes = 1024 * 1024;
    private const int MaxFilesBytes = 4 * 1024 * 1024;
    private const int MaxPathBytes = 1_024;
    private const int MaxVariables = 128;
    private const int MaxVariableName = 128;
    private const int MaxHosts = 256;
    private const int MaxPool = 1_000;

    /// <summary>Of one environment value or secret.</summary>
    public const int MaxValueBytes = 32 * 1024;

    /// <summary>Of the whole environment: it goes with every command, and leaves room there for the command's own.</summary>
    public const int MaxEnvironmentBytes = 64 * 1024;

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>.</exception>
    public static void Check(Template template)
    {
        if (template.Image.Length == 0)
            throw Invalid("image is required");
        SpawnValidation.CheckImage(template.Image);
        SpawnValidation.CheckMemory(template.MemoryMb);
        SpawnValidation.CheckVcpus(template.CpuCores, "cpu_cores");
        SpawnValidation.CheckMetadata(template.Metadata);
        Demand(template.Version >= 1, $"version is {template.Version}, and must be 1 or more");
        Demand(template.TtlSeconds >= 1, $"ttl_seconds is {template.TtlSeconds}, and must be 1 or more");
        Demand(template.PoolSize is >= 0 and <= MaxPool, $"pool_size is {template.PoolSize}, and must be between 0 and {MaxPool}");
        Demand(Bytes(template.Description) <= MaxDescription && !template.Description.Contains('\0'), $"description must have at most {MaxDescription} bytes and no NUL");
        Demand(template.Provider.Length <= MaxProvider && !template.Provider.AsSpan().ContainsAnyExcept(ProviderCharacters),
            $"provider \"{SpawnValidation.Shown(template.Provider)}\" is not the name of one");
        CheckCommands(template.Setup);
        CheckFiles(template.Files);
        CheckEnvironment(template.Env);
        CheckHosts(template.AllowedHosts);
        CheckTargets(template);
    }

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>.</exception>
    public static string CheckName(string? text)
    {
        string name = text ?? "";
        if (name.Length == 0)
            throw Invalid("name is required");
        bool characters = !name.Any(c => char.IsControl(c) || c is '%' or '\\') && name.Trim().Length == name.Length;
        // A dot part would be taken for a step in the path by clients and proxies.
        bool parts = name.Split('/').All(part => part is not ("" or "." or ".."));
        if (!characters || !parts || Bytes(name) > MaxName)
            throw Invalid($"name \"{SpawnValidation.Shown(name)}\" must have 1 to {MaxName} bytes, no %, \\ or control character, no blank at its ends, and no part between slashes that is empty, . or ..");
        return name;
    }

    public static bool IsVariable(string name) =>
        name.Length <= MaxVariableName && VariableName().IsMatch(name) && !name.StartsWith(AgentProtocol.VariablePrefix, StringComparison.Ordinal);

    public static bool IsPath(string path) =>
        path.StartsWith('/') && Bytes(path) <= MaxPathBytes && !path.Contains('\0') && path[1..].Split('/').All(part => part is not ("" or "." or ".."));

    private static void CheckCommands(IReadOnlyList<string> commands)
    {
        Demand(commands.Count <= MaxCommands, $"setup has {commands.Count} commands, and may have {MaxCommands}");
        for (int i = 0; i < commands.Count; i++)
        {
            Demand(!string.IsNullOrWhiteSpace(commands[i]), $"setup command {i + 1} is empty");
            Demand(!commands[i].Contains('\0') && Bytes(commands[i]) <= MaxCommandBytes, $"setup command {i + 1} must have at most {MaxCommandBytes} bytes and no NUL");
        }
    }

    private static void CheckFiles(IReadOnlyDictionary<string, string> files)
    {
        Demand(files.Count <= MaxFiles, $"files has {files.Count} entries, and may have {MaxFiles}");
        long total = 0;
        foreach ((string path, string? text) in files)
        {
            Demand(IsPath(path), $"files: \"{SpawnValidation.Shown(path)}\" must be an absolute path without . and .., of at most {MaxPathBytes} bytes");
            Demand(text is not null && Bytes(text) <= MaxFileBytes, $"files: {SpawnValidation.Shown(path)} must be a text of at most {MaxFileBytes} bytes: put what is larger into the image, or let a setup command fetch it");
            total += Bytes(text!);
        }
        Demand(total <= MaxFilesBytes, $"files have {total} bytes together, and may have {MaxFilesBytes}");
    }

    private static void CheckEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        Demand(environment.Count <= MaxVariables, $"env has {environment.Count} entries, and may have {MaxVariables}");
        long total = 0;
        foreach ((string name, string? value) in environment)
        {
            Demand(IsVariable(name), $"env name \"{SpawnValidation.Shown(name)}\" must have letters, digits and underscores, not begin with a digit or {AgentProtocol.VariablePrefix}, and have at most {MaxVariableName} characters");
            Demand(value is not null && !value.Contains('\0') && Bytes(value) <= MaxValueBytes, $"env {name} must be a text of at most {MaxValueBytes} bytes without NUL");
            total += name.Length + Bytes(value!);
        }
        Demand(total <= MaxEnvironmentBytes, $"env has {total} bytes, and may have {MaxEnvironmentBytes}: put what is larger into files");
    }

    private static void CheckHosts(IReadOnlyList<string> hosts)
    {
        Demand(hosts.Count <= MaxHosts, $"allowed_hosts has {hosts.Count} entries, and may have {MaxHosts}");
        foreach (string? host in hosts)
            Demand(host is not null && HostPattern.IsOne(host), $"allowed_hosts: \"{SpawnValidation.Shown(host ?? "")}\" is none of example.com, *.example.com, an address or *, with an optional :port");
    }

    /// <summary>No two things go to one place.</summary>
    private static void CheckTargets(Template template)
    {
        HashSet<string> taken = [.. template.Files.Keys, .. template.Env.Keys];
        foreach (TemplateSecret secret in template.Secrets)
            Demand(taken.Add(secret.InjectAt), $"secret {secret.Name}: {SpawnValidation.Shown(secret.InjectAt)} is taken by a file, a variable or another secret");
    }

    private static int Bytes(string text) => Encoding.UTF8.GetByteCount(text);

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
            throw Invalid(otherwise);
    }

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);

    private static readonly System.Buffers.SearchValues<char> ProviderCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-");

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableName();
}
