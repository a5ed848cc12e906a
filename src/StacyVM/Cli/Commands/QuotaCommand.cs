using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class QuotaCommand
{
    public static Command Create() => new("quota", "Limits of single owners, which override the defaults up and down")
    {
        List(), Get(), Set(), Remove(), Usage(),
    };

    private static Command List()
    {
        var command = new Command("list", "List the quotas, by owner");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<QuotaInfo> all = [.. await client.QuotasAsync(cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(all, RestJson.Default.ListQuotaInfo);
            else if (all.Count == 0)
                Console.Out.WriteLine("No quotas: the defaults hold for every owner");
            else
                Print(all);
        });
        return command;
    }

    private static Command Get()
    {
        Argument<string> owner = Owner();
        var command = new Command("get", "Show the quota of an owner") { owner };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, await client.QuotaAsync(parsed.GetRequiredValue(owner), cancellation));
        });
        return command;
    }

    private static Command Set()
    {
        Argument<string> owner = Owner();
        var sandboxes = new Option<int>("--max-sandboxes") { Description = "Most sandboxes at one time [default: inherited]" };
        Option<string?> ttl = CommonArguments.Duration("--max-ttl", "Longest time to live [default: inherited]");
        Option<string?> exec = CommonArguments.Duration("--max-exec-timeout", "Longest time limit of a command [default: inherited]");
        var command = new Command("set", "Make or replace the quota of an owner; what is not named is inherited") { owner, sandboxes, ttl, exec };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            var request = new QuotaRequest
            {
                MaxSandboxes = parsed.GetValue(sandboxes),
                MaxTtl = parsed.GetValue(ttl),
                MaxExecTimeout = parsed.GetValue(exec),
            };
            Show(parsed, await client.SaveQuotaAsync(parsed.GetRequiredValue(owner), request, cancellation));
        });
        return command;
    }

    private static Command Remove()
    {
        Argument<string> owner = Owner();
        var command = new Command("rm", "Remove the quota of an owner") { owner };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await client.DeleteQuotaAsync(parsed.GetRequiredValue(owner), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new StatusBody { Status = "deleted" }, RestJson.Default.StatusBody);
            else
                Console.Out.WriteLine($"Quota of {TextTable.Visible(parsed.GetRequiredValue(owner))} removed: the defaults hold again");
        });
        return command;
    }

    private static Command Usage()
    {
        Argument<string> owner = Owner();
        var command = new Command("usage", "Show what an owner uses, and the limits that hold for it") { owner };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            QuotaUsage usage = await client.QuotaUsageAsync(parsed.GetRequiredValue(owner), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(usage, RestJson.Default.QuotaUsage);
                return;
            }
            var table = new TextTable("OWNER", "SANDBOXES", "OF", "MAX TTL", "MAX EXEC TIMEOUT", "QUOTA");
            table.Add(
                usage.OwnerId, Text(usage.ActiveSandboxes), usage.MaxSandboxes == 0 ? "unlimited" : Text(usage.MaxSandboxes),
                usage.MaxTtl == "0s" ? "unlimited" : usage.MaxTtl, usage.MaxExecTimeout == "0s" ? "unlimited" : usage.MaxExecTimeout,
                usage.QuotaConfigured ? "own" : "defaults");
            Console.Out.Write(table);
        });
        return command;
    }

    private static Argument<string> Owner() => new("owner") { Description = "Owner, as in X-User-ID and --owner" };

    private static void Show(ParseResult parsed, QuotaInfo quota)
    {
        if (parsed.GetValue(GlobalOptions.Json))
            Printer.Json(quota, RestJson.Default.QuotaInfo);
        else
            Print([quota]);
    }

    private static void Print(List<QuotaInfo> quotas)
    {
        var table = new TextTable("OWNER", "MAX SANDBOXES", "MAX TTL", "MAX EXEC TIMEOUT", "CHANGED");
        foreach (QuotaInfo quota in quotas)
        {
            table.Add(
                quota.OwnerId, quota.MaxSandboxes == 0 ? "inherited" : Text(quota.MaxSandboxes), Inherited(quota.MaxTtl), Inherited(quota.MaxExecTimeout),
                $"{quota.UpdatedAt:yyyy-MM-dd HH:mm:ss} UTC");
        }
        Console.Out.Write(table);
    }

    private static string Inherited(string duration) => duration == "0s" ? "inherited" : duration;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
