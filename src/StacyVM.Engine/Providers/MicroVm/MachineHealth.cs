namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>What holds for machines on this host.</summary>
internal static class MachineHealth
{
    public static ProviderHealth Of(MachineSetup setup, IReadOnlyList<string> names)
    {
        var enforced = new Dictionary<string, string>
        {
            ["machine"] = $"a kernel of its own ({setup.Kernel.Version}) in a machine by {setup.Monitor.Description}",
            ["seccomp"] = "the monitor's own filter: it starts no programs and gains no rights",
            ["user"] = setup.Users is { } users
                ? $"each monitor is a host user of its own ({users.First} to {users.Last}); commands inside are not root"
                : "monitors run as the server's own user; a server started as root gives each its own. Commands inside are not root",
            ["network"] = "none: loopback only",
            ["disk"] = "a disk of its own of the size asked for",
            ["memory"] = "the machine's size, and a control group inside it",
            ["cpu"] = Bound("cpu", "as many processors as asked for, and a quota of the control group", "as many processors as asked for"),
            ["pids"] = "a control group inside the machine",
        };
        return new ProviderHealth(true, null, enforced, names) { Automatic = setup.Monitor.IsAccelerated };

        string Bound(string controller, string yes, string otherwise) => setup.Cgroups.Enforces(controller) ? yes : otherwise;
    }
}
