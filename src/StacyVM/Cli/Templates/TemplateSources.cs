using System.Text;
using StacyVM.Cli.Terminal;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Templates;

/// <summary>Texts of a template that are read from files or stdin, and never from the command line, which every user of the machine can see.</summary>
internal static class TemplateSources
{
    private const string Stdin = "-";

    /// <param name="places">Path in the sandbox → local file; null for none.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<Dictionary<string, string>?> FilesAsync(Dictionary<string, string>? places, CancellationToken cancellation)
    {
        if (places is null)
            return null;
        var files = new Dictionary<string, string>();
        foreach ((string inside, string local) in places)
            files[inside] = await TextAsync(local, cancellation);
        return files;
    }

    /// <summary>The secrets of a file with those of the options: where each goes, and where its value comes from.</summary>
    /// <param name="given">Those of the file.</param>
    /// <param name="targets">Name → path or variable in the sandbox.</param>
    /// <param name="sources">Name → local file, or <c>-</c>.</param>
    /// <param name="stdinTaken">The template itself is read from there.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<List<TemplateSecretRequest>?> SecretsAsync(
        List<TemplateSecretRequest>? given, Dictionary<string, string>? targets, Dictionary<string, string>? sources, bool stdinTaken, CancellationToken cancellation)
    {
        if (targets is null && sources is null)
            return given;
        List<TemplateSecretRequest> secrets = [.. given ?? []];
        foreach ((string name, string target) in targets ?? [])
            Change(secrets, name, secret => secret with { InjectAt = target });
        foreach ((string name, string source) in sources ?? [])
        {
            if (source == Stdin && stdinTaken)
                throw new UsageException("stdin holds one thing: give the template or one secret there, and files for the others");
            stdinTaken |= source == Stdin;
            string value = source == Stdin ? await new StreamReader(StandardInput.Open()).ReadToEndAsync(cancellation) : await TextAsync(source, cancellation);
            // Editors and echo end a file with a line feed, which is no part of a token; of a text with several lines it is one.
            string trimmed = value.TrimEnd('\r', '\n');
            Change(secrets, name, secret => secret with { Value = trimmed.Contains('\n') ? value : trimmed });
        }
        return secrets;
    }

    /// <summary>Strict: what is no text would reach the sandbox changed.</summary>
    public static async Task<string> TextAsync(string file, CancellationToken cancellation)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(await File.ReadAllBytesAsync(file, cancellation));
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException($"{file} is no UTF-8 text: templates hold texts; copy other files with stacyvm cp, or put them into the image");
        }
    }

    private static void Change(List<TemplateSecretRequest> secrets, string name, Func<TemplateSecretRequest, TemplateSecretRequest> change)
    {
        int at = secrets.FindIndex(secret => secret.Name == name);
        if (at < 0)
            secrets.Add(change(new TemplateSecretRequest { Name = name }));
        else
            secrets[at] = change(secrets[at]);
    }
}
