using System.Text;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Templates;

/// <summary>
/// The secrets of templates: sealed when they are saved, opened when a sandbox is made. One without a value stands for a variable of the server's own
/// environment, and only for one that the operator has listed.
/// </summary>
/// <param name="box">Seals them.</param>
/// <param name="allowedEnv">Variables of the server that clients may have.</param>
internal sealed class TemplateSecrets(SecretBox box, IReadOnlyList<string> allowedEnv)
{
    private const int MaxSecrets = 64;

    /// <summary>The secrets to keep: a value that comes is sealed, one that does not stays what it was.</summary>
    /// <param name="template">Whose; only its name counts.</param>
    /// <param name="wished">From the client; null keeps all.</param>
    /// <param name="before">Those stored so far.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>.</exception>
    public IReadOnlyList<TemplateSecret> Seal(string template, IReadOnlyList<TemplateSecretRequest>? wished, IReadOnlyList<TemplateSecret> before)
    {
        if (wished is null)
            return before;
        if (wished.Count > MaxSecrets)
            throw Invalid($"secrets has {wished.Count} entries, and may have {MaxSecrets}");
        List<TemplateSecret> secrets = [];
        foreach (TemplateSecretRequest? secret in wished)
        {
            string name = secret?.Name ?? "";
            if (!TemplateRules.IsVariable(name))
                throw Invalid($"secret name \"{SpawnValidation.Shown(name)}\" must have letters, digits and underscores, and not begin with a digit");
            if (secrets.Exists(other => other.Name == name))
                throw Invalid($"secret {name} is there twice");
            string target = string.IsNullOrEmpty(secret!.InjectAt) ? name : secret.InjectAt;
            if (!TemplateRules.IsVariable(target) && !TemplateRules.IsPath(target))
                throw Invalid($"secret {name}: inject_at must be an absolute path without . and .., or the name of an environment variable");
            string? kept = secret.Value is null ? before.FirstOrDefault(old => old.Name == name)?.Sealed : box.Seal(CheckValue(name, secret.Value), PlaceOf(template, name));
            secrets.Add(new TemplateSecret(name, target, kept));
        }
        return secrets;
    }

    /// <summary>The values of a template's secrets, in their order.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Conflict"/> for one that has no value, <see cref="ProblemKind.Unavailable"/> for one that the key does not open.</exception>
    public IReadOnlyList<(TemplateSecret Secret, string Value)> Open(Template template) =>
        [.. template.Secrets.Select(secret => (secret, secret.Sealed is { } text ? box.Unseal(text, PlaceOf(template.Name, secret.Name)) : FromServer(template, secret)))];

    /// <summary>True when a spawn will find no value.</summary>
    public bool IsMissing(TemplateSecret secret) => secret.Sealed is null && !allowedEnv.Contains(secret.Name);

    private string FromServer(Template template, TemplateSecret secret)
    {
        if (IsMissing(secret))
            throw new StacyVMException(
                ProblemKind.Conflict,
                $"template {template.Name}: secret {secret.Name} has no value: save the template with one, or list {secret.Name} in secrets.allowed_env to take the server's variable of that name");
        return Environment.GetEnvironmentVariable(secret.Name) is { Length: > 0 } value
            ? value
            : throw new StacyVMException(ProblemKind.Conflict, $"template {template.Name}: secret {secret.Name} has no value, and the server has no environment variable of that name");
    }

    private static string CheckValue(string name, string value) =>
        value.Length == 0 ? throw Invalid($"secret {name}: value is empty")
        : value.Contains('\0') || Encoding.UTF8.GetByteCount(value) > TemplateRules.MaxValueBytes ? throw Invalid($"secret {name}: value must have at most {TemplateRules.MaxValueBytes} bytes and no NUL")
        : value;

    private static string PlaceOf(string template, string secret) => $"template/{template}/{secret}";

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);
}
