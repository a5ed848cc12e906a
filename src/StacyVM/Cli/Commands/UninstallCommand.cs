using System.CommandLine;
using StacyVM.Cli.Operations;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Commands;

internal static class UninstallCommand
{
    public static Command Create()
    {
        var force = new Option<bool>("--force", "-f") { Description = "Do not ask" };
        var command = new Command("uninstall", "Destroy this machine's sandboxes and remove data, configuration, shell blocks and this program") { force };
        command.SetAction((parsed, _) => RunAsync(new Installation(MachineSources.Of(parsed), Environment.ProcessPath), parsed.GetValue(force), parsed.GetValue(GlobalOptions.Json)));
        return command;
    }

    /// <summary>1 what is there, 2 the sandboxes that live, 3 ask, 4 destroy them, 5 remove the rest, the program last.</summary>
    private static async Task<int> RunAsync(Installation installation, bool force, bool json)
    {
        if (!force && !Prompt.IsPossible)
            throw new UsageException("there is no terminal to ask on: say --force");
        // 1.
        List<string> ours = [.. installation.Ours()];
        if (ours.Count == 0 && installation.Shells().Count == 0)
        {
            Console.Out.WriteLine("Nothing of StacyVM was found for this user and configuration.");
            return 0;
        }
        // 2. Holding the data directory as a server does: one that runs is refused here, before anything is touched.
        if (installation.HasData)
        {
            await using LastSandboxes living = await LastSandboxes.FindAsync(installation.Options);
            if (!force)
                Tell(living.All, ours, installation.Shells());
            // 3.
            if (!force && !Prompt.OfTerminal().Confirm("Remove all of this?", otherwise: false))
                return Kept();
            // 4.
            await living.DestroyAsync();
        }
        else if (!force)
        {
            Tell([], ours, installation.Shells());
            if (!Prompt.OfTerminal().Confirm("Remove all of this?", otherwise: false))
                return Kept();
        }
        // 5.
        Print(installation.Remove(), json);
        return 0;
    }

    private static int Kept()
    {
        Console.Out.WriteLine("Nothing was removed.");
        return 0;
    }

    private static void Tell(IReadOnlyList<SandboxInfo> living, IEnumerable<string> ours, IEnumerable<string> shells)
    {
        if (living.Count > 0)
        {
            Console.Out.WriteLine("These sandboxes live, and will be destroyed:\n");
            var table = new TextTable("ID", "STATE", "PROVIDER", "IMAGE");
            foreach (SandboxInfo info in living)
                table.Add(info.Id, info.State, info.Provider, info.Image);
            Console.Out.WriteLine(table);
        }
        Console.Out.WriteLine("These will be removed:\n");
        foreach (string path in ours)
            Console.Out.WriteLine($"  {path}");
        foreach (string path in shells)
            Console.Out.WriteLine($"  the StacyVM block in {path}");
        Console.Out.WriteLine();
    }

    private static void Print(UninstallResult result, bool json)
    {
        if (json)
        {
            Printer.Json(result, CliJson.Default.UninstallResult);
            return;
        }
        foreach (string path in result.Removed)
            Console.Out.WriteLine($"removed: {path}");
        foreach (string path in result.Shells)
            Console.Out.WriteLine($"block removed: {path}");
        foreach (string path in result.Left)
            Console.Out.WriteLine($"left, it is not ours: {path}");
        Console.Out.WriteLine("StacyVM is uninstalled.");
    }
}
