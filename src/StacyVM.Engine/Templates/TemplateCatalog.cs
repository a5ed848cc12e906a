using System.Text;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Templates;

/// <summary>The templates of this server, and what a spawn makes of one.</summary>
internal sealed partial class TemplateCatalog(ITemplateStore store, SecretBox box, SecretsOptions options, ILogger<TemplateCatalog> log, TimeProvider time)
{
    /// <summary>Saves of one template that meet take turns; more than this at once is not an accident.</summary>
    private const int MostTurns = 100;

    private readonly TemplateSecrets _secrets = new(box, options.AllowedEnv);

    /// <summary>By name.</summary>
    public async Task<IReadOnlyList<TemplateInfo>> ListAsync(CancellationToken cancellation) => [.. (await store.ListAsync(cancellation)).Select(InfoOf)];

    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task<TemplateInfo> GetAsync(string name, CancellationToken cancellation) => InfoOf(await FindAsync(name, cancellation));

    /// <exception cref="StacyVMException">InvalidInput; Conflict when the name is taken.</exception>
    public async Task<TemplateInfo> CreateAsync(TemplateRequest request)
    {
        Template template = Make(request, TemplateRules.CheckName(request.Name), before: null);
        if (!await store.AddAsync(template))
            throw new StacyVMException(ProblemKind.Conflict, $"there is a template {template.Name} already: change it with PUT /templates/{Uri.EscapeDataString(template.Name)}");
        Saved(log, template.Name, template.Version);
        return InfoOf(template);
    }

    /// <summary>Replaces what is given, keeps what is not and the time of its creation, and counts the version up. None of two saves that meet is lost.</summary>
    /// <exception cref="StacyVMException">InvalidInput, NotFound.</exception>
    public async Task<TemplateInfo> ReplaceAsync(string name, TemplateRequest request, CancellationToken cancellation)
    {
        for (int turn = 0; turn < MostTurns; turn++)
        {
            Template before = await FindAsync(name, cancellation);
            Template template = Make(request, name, before);
            if (!await store.ReplaceAsync(before, template))
                continue;
            Saved(log, name, template.Version);
            return InfoOf(template);
        }
        throw new StacyVMException(ProblemKind.Conflict, $"template {name} is being changed by others all the time: try again");
    }

    /// <summary>Sandboxes that were made of it live on.</summary>
    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task DeleteAsync(string name)
    {
        if (!await store.DeleteAsync(name))
            throw NotFound(name);
        Deleted(log, name);
    }

    /// <summary>
    /// Joins a spawn request with its template. The request's own values win; the template's image wins over none and over the one that the SDKs
    /// always send. Owner, limits and bounds are judged afterwards, as for any request.
    /// </summary>
    /// <exception cref="StacyVMException">NotFound; Conflict for a secret without a value.</exception>
    public async Task<TemplateOrder> ApplyAsync(SpawnRequest request, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(request.Template))
            return new TemplateOrder(request, null);
        Template template = await FindAsync(request.Template, cancellation);
        string image = request.Image?.Trim() ?? "";
        Dictionary<string, string> metadata = new(template.Metadata);
        foreach ((string name, string value) in request.Metadata ?? [])
            metadata[name] = value;
        metadata["template"] = template.Name;
        SpawnRequest joined = request with
        {
            Image = image.Length == 0 || image == SpawnValidation.SdkDefaultImage ? template.Image : image,
            Provider = string.IsNullOrWhiteSpace(request.Provider) ? template.Provider : request.Provider,
            MemoryMb = request.MemoryMb is null or 0 ? template.MemoryMb : request.MemoryMb,
            Vcpus = request.Vcpus is null or 0 ? template.CpuCores : request.Vcpus,
            Ttl = string.IsNullOrEmpty(request.Ttl) ? GoDuration.Format(TimeSpan.FromSeconds(template.TtlSeconds)) : request.Ttl,
            Metadata = metadata,
        };
        return new TemplateOrder(joined, Prepare(template));
    }

    private Template Make(TemplateRequest request, string name, Template? before)
    {
        Template template = TemplateDraft.Make(request, name, before, time.GetUtcNow().UtcDateTime);
        template = template with { Secrets = _secrets.Seal(name, request.Secrets, template.Secrets) };
        TemplateRules.Check(template);
        return template;
    }

    private Preparation Prepare(Template template)
    {
        List<PreparedFile> files = [.. template.Files.Select(file => new PreparedFile(file.Key, Encoding.UTF8.GetBytes(file.Value), PreparedFile.Readable))];
        Dictionary<string, string> environment = new(template.Env);
        IReadOnlyList<(TemplateSecret Secret, string Value)> secrets = _secrets.Open(template);
        foreach ((TemplateSecret secret, string value) in secrets)
        {
            if (secret.IsFile)
                files.Add(new PreparedFile(secret.InjectAt, Encoding.UTF8.GetBytes(value), PreparedFile.OwnerOnly));
            else
                environment[secret.InjectAt] = value;
        }
        if (environment.Sum(variable => variable.Key.Length + Encoding.UTF8.GetByteCount(variable.Value)) > TemplateRules.MaxEnvironmentBytes)
            throw new StacyVMException(ProblemKind.InvalidInput, $"template {template.Name}: env and secrets have more than {TemplateRules.MaxEnvironmentBytes} bytes together: inject large secrets as files");
        return new Preparation
        {
            Template = template.Name,
            Files = files,
            Commands = template.Setup,
            Environment = environment,
            Hidden = [.. secrets.Select(secret => secret.Value)],
            Box = box,
        };
    }

    private TemplateInfo InfoOf(Template template)
    {
        List<string> notes = [];
        if (template.AllowedHosts.Count > 0)
            notes.Add("allowed_hosts is stored and not enforced in this version: the network of a sandbox is the one of its level");
        if (template.PoolSize > 0)
            notes.Add("pool_size is stored and has no effect in this version: every spawn makes a new sandbox");
        foreach (TemplateSecret secret in template.Secrets.Where(_secrets.IsMissing))
            notes.Add($"secret {secret.Name} has no value: spawns are refused until it is saved with one, or secrets.allowed_env lists it");
        return template.ToInfo(notes);
    }

    private async Task<Template> FindAsync(string name, CancellationToken cancellation) => await store.FindAsync(name, cancellation) ?? throw NotFound(name);

    private static StacyVMException NotFound(string name) => new(ProblemKind.NotFound, $"template {SpawnValidation.Shown(name)}");

    [LoggerMessage(Level = LogLevel.Information, EventName = "template.saved", Message = "template {Name} is saved as version {Version}")]
    private static partial void Saved(ILogger log, string name, int version);

    [LoggerMessage(Level = LogLevel.Information, EventName = "template.deleted", Message = "template {Name} is deleted")]
    private static partial void Deleted(ILogger log, string name);
}
