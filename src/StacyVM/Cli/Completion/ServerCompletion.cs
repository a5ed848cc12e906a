using System.CommandLine.Completions;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Completion;

/// <summary>Completions that only the server knows. Without a server there are none: a Tab key must never hang or complain.</summary>
internal static class ServerCompletion
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    public static IEnumerable<CompletionItem> SandboxIds(CompletionContext context) =>
        Ask(context, async (client, stop) =>
            (await client.ListAsync(stop)).Select(info => new CompletionItem(info.Id, detail: $"{info.State} {info.Image}")));

    public static IEnumerable<CompletionItem> Providers(CompletionContext context) =>
        Ask(context, async (client, stop) => (await client.ProvidersAsync(stop)).Select(provider => new CompletionItem(provider.Name)));

    public static IEnumerable<CompletionItem> Templates(CompletionContext context) =>
        Ask(context, async (client, stop) =>
            (await client.Templates.ListAsync(stop)).Select(template => new CompletionItem(template.Name, detail: template.Description ?? template.Image)));

    private static IEnumerable<CompletionItem> Ask(CompletionContext context, Func<StacyClient, CancellationToken, Task<IEnumerable<CompletionItem>>> ask)
    {
        try
        {
            using var limit = new CancellationTokenSource(Patience);
            using StacyClient client = GlobalOptions.ClientOf(context.ParseResult);
            return [.. ask(client, limit.Token).GetAwaiter().GetResult()];
        }
        catch (Exception fault) when (fault is StacyVMException or OperationCanceledException or InvalidOperationException)
        {
            return [];
        }
    }
}
