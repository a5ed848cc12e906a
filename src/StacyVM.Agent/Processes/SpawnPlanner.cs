using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>Turns a request into a <see cref="SpawnPlan"/>: checks it, and lays out every string and table that the child will use.</summary>
internal sealed unsafe class SpawnPlanner(AgentOptions options)
{
    private const int ChildStackBytes = 64 * 1024;
    private const int LargestDescriptor = 1023;
    private const int DescriptorLimit = 7;
    private readonly NativeArena _stackMemory = new();
    private byte* _childStack;

    internal SpawnPlan* Plan(StartProcessRequest request, NativeArena arena)
    {
        Check(request);
        if (_childStack == null)
            _childStack = _stackMemory.Take(ChildStackBytes) + ChildStackBytes;

        var plan = (SpawnPlan*)arena.Take((nuint)sizeof(SpawnPlan));
        plan->ChildStack = _childStack;
        plan->Confined = !options.IsLauncher;
        plan->Terminal = (request.Flags & ProcessFlags.Terminal) != 0;
        plan->Input = plan->Output = plan->Error = plan->Report = -1;
        plan->User = request.UserId != StartProcessRequest.Inherit ? request.UserId : options.User;
        plan->Group = request.GroupId != StartProcessRequest.Inherit ? request.GroupId
            : request.UserId != StartProcessRequest.Inherit ? request.UserId : options.Group;
        LinuxPath directory = WorkingDirectory(request.WorkingDirectory);
        plan->WorkingDirectory = arena.Text(directory.Bytes);
        plan->OomScoreFile = plan->Confined ? arena.Text("/proc/self/oom_score_adj"u8) : null;
        plan->Mark = plan->Confined ? OrphanMark.Next() : 0;
        plan->Environment = CommandEnvironment.Build(options, request.Environment, plan->Terminal, plan->Mark, arena);
        PlanArguments(plan, request.Arguments, arena);
        PlanPrivileges(plan, request, arena);
        return plan;
    }

    private void Check(StartProcessRequest request)
    {
        if (request.Arguments.Count == 0 || request.Arguments[0].Length == 0)
            throw new OperationFailure(AgentStatus.InvalidArgument, "there is no program to start");
        foreach (string argument in request.Arguments)
            RefuseNul(argument, "an argument");
        foreach ((string name, string value) in request.Environment)
        {
            RefuseNul(name, "an environment variable");
            RefuseNul(value, "an environment variable");
            if (name.Length == 0 || name.Contains('='))
                throw new OperationFailure(AgentStatus.InvalidArgument, "the name of an environment variable is empty or has a = in it");
        }
        if (request.TailBytes > OutputLog.LargestCapacity)
            throw new OperationFailure(AgentStatus.InvalidArgument, "more than 16 MiB of output cannot be retained");
        bool launches = (request.Flags & ProcessFlags.Unsupervised) != 0 || request.Files.Count + request.Cgroups.Count + request.Limits.Count > 0;
        if (launches && !options.IsLauncher)
            throw new OperationFailure(AgentStatus.Unsupported, "unsupervised processes, files, cgroups and limits are for the host's launcher");
        foreach (InheritedFile file in request.Files)
            if (file.Descriptor is < 0 or > LargestDescriptor)
                throw new OperationFailure(AgentStatus.InvalidArgument, "a file's descriptor is not between 0 and 1023");
    }

    private static void RefuseNul(string text, string what)
    {
        if (text.Contains('\0'))
            throw new OperationFailure(AgentStatus.InvalidArgument, what + " has a NUL in it");
    }

    private LinuxPath WorkingDirectory(string requested)
    {
        if (requested.Length == 0)
            return options.WorkingDirectory;
        LinuxPath path = LinuxPath.Parse(System.Text.Encoding.UTF8.GetBytes(requested), options.WorkingDirectory);
        // Links of /proc lead to what a process holds open, whatever wall stands between. No command has business there.
        ReadOnlySpan<byte> bytes = path.Bytes;
        if (bytes.StartsWith("/proc/"u8) || bytes.StartsWith("/dev/fd"u8))
            throw new OperationFailure(AgentStatus.InvalidArgument, "invalid working directory: it leads through a process's open files");
        return path;
    }

    private static void PlanArguments(SpawnPlan* plan, IReadOnlyList<string> arguments, NativeArena arena)
    {
        int count = arguments.Count;
        plan->ShellArguments = (byte**)arena.Take<nint>(count + 2);
        plan->Arguments = (byte**)arena.Take<nint>(count + 1);
        for (int i = 0; i < count; i++)
            plan->Arguments[i] = plan->ShellArguments[i + 1] = arena.Text(arguments[i]);
        plan->Shell = plan->ShellArguments[0] = arena.Text("/bin/sh"u8);
        plan->Candidates = ProgramSearch.Candidates(plan->Arguments[0], plan->Environment, arena);
    }

    private void PlanPrivileges(SpawnPlan* plan, StartProcessRequest request, NativeArena arena)
    {
        plan->FileCount = request.Files.Count;
        plan->Files = arena.Take<PlannedFile>(plan->FileCount);
        for (int i = 0; i < plan->FileCount; i++)
        {
            InheritedFile file = request.Files[i];
            plan->Files[i] = new PlannedFile { Path = arena.Text(file.Path), Descriptor = file.Descriptor, Writable = file.Writable };
        }
        plan->Cgroups = (byte**)arena.Take<nint>(request.Cgroups.Count + 1);
        if (options.CommandGroup is { } group)
            plan->Cgroups[plan->CgroupCount++] = arena.Text(group);
        foreach (string cgroup in request.Cgroups)
            plan->Cgroups[plan->CgroupCount++] = arena.Text(cgroup);
        // The agent's own limit goes back to what it was, unless the request says otherwise; the last one set wins.
        plan->Limits = arena.Take<PlannedLimit>(request.Limits.Count + 1);
        if (options.DescriptorLimit is { } inherited)
            plan->Limits[plan->LimitCount++] = new PlannedLimit { Resource = DescriptorLimit, Soft = inherited.Soft, Hard = inherited.Hard };
        foreach (ResourceLimit limit in request.Limits)
            plan->Limits[plan->LimitCount++] = new PlannedLimit { Resource = limit.Resource, Soft = limit.Value, Hard = limit.Value };
    }
}
