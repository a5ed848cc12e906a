using System.CommandLine;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Output;
using StacyVM.Cli.Templates;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class TemplateSaveCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("name") { Description = "Name of the template [default: the file's]", Arity = ArgumentArity.ZeroOrOne };
        name.CompletionSources.Add(ServerCompletion.Templates);
        var file = new Option<string?>("--file", "-f") { Description = "YAML or JSON with the fields of a template; - is stdin. Options win over it" };
        var replace = new Option<bool>("--replace") { Description = "Change the template when there is one: what is given is replaced, the rest is kept" };
        var image = new Option<string?>("--image") { Description = "Image of the sandboxes" };
        var description = new Option<string?>("--description") { Description = "A sentence for people" };
        var provider = new Option<string?>("--provider") { Description = "Isolation level [default: the server's]" };
        provider.CompletionSources.Add(ServerCompletion.Providers);
        Option<string?> ttl = CommonArguments.Duration("--ttl", "Time to live [default: 5m]");
        var memory = new Option<int?>("--memory") { Description = "Memory limit in MB [default: 512]" };
        var vcpus = new Option<int?>("--vcpus") { Description = "Processors [default: 1]" };
        var setup = new Option<string[]>("--setup") { Description = "Shell command to run before the sandbox is ready; may be repeated", DefaultValueFactory = _ => [] };
        Option<string[]> env = CommonArguments.Pairs("--env", "-e", "Environment variable of every command; readable by others, no place for secrets; may be repeated");
        Option<string[]> put = CommonArguments.Pairs("--put", "-p", "File to put into the sandbox: /path/inside=local text file; may be repeated");
        Option<string[]> metadata = CommonArguments.Pairs("--metadata", "-m", "Metadata of the sandboxes; may be repeated");
        var hosts = new Option<string[]>("--allow-host") { Description = "Host the sandbox may reach (stored; not enforced yet); may be repeated", DefaultValueFactory = _ => [] };
        Option<string[]> secrets = CommonArguments.Pairs("--secret", "-s", "Secret and where it goes: NAME=/path/inside or NAME=VARIABLE; may be repeated");
        Option<string[]> values = CommonArguments.Pairs("--secret-from", "-S", "Where a secret's value is read: NAME=local file, or NAME=- for stdin; never on the command line; may be repeated");
        var command = new Command("save", "Save a template, from options or from a file")
        {
            name, file, replace, image, description, provider, ttl, memory, vcpus, setup, env, put, metadata, hosts, secrets, values,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            TemplateRequest request = parsed.GetValue(file) is { } path ? await TemplateFile.ReadAsync(path, cancellation) : new TemplateRequest();
            request = request with
            {
                Name = parsed.GetValue(name) ?? request.Name,
                Image = parsed.GetValue(image) ?? request.Image,
                Description = parsed.GetValue(description) ?? request.Description,
                Provider = parsed.GetValue(provider) ?? request.Provider,
                // Both spellings: the one of the file would contradict the option.
                Ttl = parsed.GetValue(ttl) ?? request.Ttl,
                TtlSeconds = parsed.GetValue(ttl) is null ? request.TtlSeconds : null,
                MemoryMb = parsed.GetValue(memory) ?? request.MemoryMb,
                Vcpus = parsed.GetValue(vcpus) ?? request.Vcpus,
                CpuCores = parsed.GetValue(vcpus) is null ? request.CpuCores : null,
                Setup = parsed.GetValue(setup) is { Length: > 0 } commands ? [.. commands] : request.Setup,
                InitCommands = parsed.GetValue(setup) is { Length: > 0 } ? null : request.InitCommands,
                Env = CommonArguments.ToDictionary(parsed.GetValue(env)) ?? request.Env,
                Files = await TemplateSources.FilesAsync(CommonArguments.ToDictionary(parsed.GetValue(put)), cancellation) ?? request.Files,
                Metadata = CommonArguments.ToDictionary(parsed.GetValue(metadata)) ?? request.Metadata,
                AllowedHosts = parsed.GetValue(hosts) is { Length: > 0 } allowed ? [.. allowed] : request.AllowedHosts,
                Secrets = await TemplateSources.SecretsAsync(
                    request.Secrets, CommonArguments.ToDictionary(parsed.GetValue(secrets)), CommonArguments.ToDictionary(parsed.GetValue(values)),
                    stdinTaken: parsed.GetValue(file) == "-", cancellation),
            };
            if (string.IsNullOrEmpty(request.Name))
                throw new UsageException("name the template; write for example: stacyvm template save python --image python:3.12");
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Print(parsed, await client.Templates.SaveAsync(request, parsed.GetValue(replace), cancellation));
        });
        return command;
    }

    private static void Print(ParseResult parsed, TemplateInfo template)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            Printer.Json(template, RestJson.Default.TemplateInfo);
            return;
        }
        Console.Out.WriteLine($"Template {template.Name} saved (version {template.Version})");
        foreach (string note in template.Notes ?? [])
            Console.Error.WriteLine($"note: {TextTable.Visible(note)}");
    }
}
