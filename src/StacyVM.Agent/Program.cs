using StacyVM.Agent;
using StacyVM.Agent.Connection;
using StacyVM.Agent.Guests;
using StacyVM.Agent.Linux;
using StacyVM.Agent.Processes;
using StacyVM.Agent.Roots;

try
{
    switch (args)
    {
        case []:
            new SandboxAgent(AgentOptions.Read()).Run();
            return 0;
        case ["limited", var processes]:
            ProcessLimit.Set(processes);
            new SandboxAgent(AgentOptions.Read()).Run();
            return 0;
        case ["traced"]:
            TracedFilter.Install();
            new SandboxAgent(AgentOptions.Read(traced: true)).Run();
            return 0;
        case ["connect", var address]:
            Bridge.Run(DialAddress.Parse(address));
            return 0;
        case ["stage", ..]:
            RootStage.Run(RootStageOptions.Parse(args));
            return 0;
        case ["init", ..]:
            return GuestInit.Run(args.AsSpan(1));
        case ["--version"]:
            Descriptor.Print("stacyvm-agent " + AgentVersion.Text);
            return 0;
        default:
            Descriptor.Complain("usage: stacyvm-agent [limited PROCESSES | traced | connect unix:/path | stage … | init | --version]");
            return 2;
    }
}
catch (OperationFailure failure)
{
    Descriptor.Complain(failure.Message);
    return 1;
}
