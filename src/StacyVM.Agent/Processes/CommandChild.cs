using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>
/// The child between fork and exec. It shares its parent's memory (the parent sleeps meanwhile) and runs on a stack of its own. Only
/// <see cref="ForkCalls"/> and the plan: no allocation, no exception, no other call.
/// </summary>
internal static unsafe class CommandChild
{
    private const int CloneSharingMemory = 0x100, CloneParentSleeps = 0x4000;
    private const int SetSignalMask = 2;
    private const int KillOrderScoreLength = 3;

    /// <summary>Starts the command as a child of the caller; its process id, or minus the error number. A failure is in the plan.</summary>
    internal static int Start(SpawnPlan* plan)
    {
        delegate*<SpawnPlan*, int> entry = &Run;
        int pid = ForkCalls.Clone(entry, plan->ChildStack, CloneSharingMemory | CloneParentSleeps | Signals.Child, plan);
        return pid >= 0 ? pid : -*ForkCalls.ErrnoLocation();
    }

    private static int Run(SpawnPlan* plan)
    {
        // 1. A session of its own: nothing of ours is its terminal or its process group.
        ForkCalls.NewSession();

        // 2. Descriptors: standard streams, then nothing else.
        if (plan->Input >= 0)
            ForkCalls.Duplicate(plan->Input, 0);
        if (plan->Output >= 0)
            ForkCalls.Duplicate(plan->Output, 1);
        if (plan->Error >= 0)
            ForkCalls.Duplicate(plan->Error, 2);
        CloseFrom(3);
        if (plan->Terminal && ForkCalls.DeviceControl(0, TerminalRequests.TakeControl, 0) != 0)
            return Fail(plan, SpawnStage.Terminal);
        if (!OpenFiles(plan))
            return Fail(plan, SpawnStage.Files);

        // 3. What needs the privileges that step 4 drops.
        for (int i = 0; i < plan->CgroupCount; i++)
            if (!WriteTo(plan->Cgroups[i], (byte)'0'))
                return Fail(plan, SpawnStage.Cgroup);
        for (int i = 0; i < plan->LimitCount; i++)
            if (ForkCalls.SetLimit(plan->Limits[i].Resource, &plan->Limits[i].Soft) != 0)
                return Fail(plan, SpawnStage.Limits);
        if (plan->OomScoreFile != null)
            PreferAsVictim(plan->OomScoreFile);

        // 4. The user. The raw calls: those of the C library would try to change threads that do not exist here.
        if (!BecomeUser(plan->User, plan->Group))
            return Fail(plan, SpawnStage.User);
        if (plan->Confined)
            ForkCalls.ProcessControl(ProcessOptions.SetNoNewPrivileges, 1, 0, 0, 0);

        // 5. The working directory, as that user; it must have a name, or it is somewhere outside the root.
        byte* name = stackalloc byte[4096];
        if (ForkCalls.ChangeDirectory(plan->WorkingDirectory) != 0)
            return Fail(plan, SpawnStage.WorkingDirectory);
        if (plan->Confined && (ForkCalls.SystemCall(CallNumbers.GetWorkingDirectory, (long)name, 4096, 0, 0) < 0 || name[0] != '/'))
            return Fail(plan, SpawnStage.WorkingDirectory);

        // 6. Signals as a fresh program expects them, whatever the agent ignores or was born ignoring. The kernel's own call: libc keeps two
        //    signals to itself and leaves them as they are.
        ForkCalls.SetFileMask(0x12);
        byte* standard = stackalloc byte[32];
        new Span<byte>(standard, 32).Clear();
        for (int signal = 1; signal <= 64; signal++)
            ForkCalls.SystemCall(CallNumbers.SetSignalAction, signal, (long)standard, 0, 8);
        ulong none = 0;
        ForkCalls.SystemCall(CallNumbers.SetSignalMask, SetSignalMask, (long)&none, 0, 8);

        // 7. The program.
        *ForkCalls.ErrnoLocation() = Errno.NoEntry;
        Execute(plan);
        return Fail(plan, SpawnStage.Execute);
    }

    private static void Execute(SpawnPlan* plan)
    {
        int reason = Errno.NoEntry;
        for (byte** candidate = plan->Candidates; *candidate != null; candidate++)
        {
            ForkCalls.Execute(*candidate, plan->Arguments, plan->Environment);
            int errno = *ForkCalls.ErrnoLocation();
            if (errno == Errno.NotExecutable)
            {
                plan->ShellArguments[1] = *candidate;
                ForkCalls.Execute(plan->Shell, plan->ShellArguments, plan->Environment);
                reason = errno;
                break;
            }
            // A file that may not be run is remembered, but a later directory may have one that may.
            if (errno == Errno.Access)
                reason = errno;
            else if (errno is not (Errno.NoEntry or Errno.NotDirectory))
            {
                reason = errno;
                break;
            }
        }
        *ForkCalls.ErrnoLocation() = reason;
    }

    private static bool OpenFiles(SpawnPlan* plan)
    {
        const int append = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Append;
        for (int i = 0; i < plan->FileCount; i++)
        {
            PlannedFile* file = plan->Files + i;
            int fd = ForkCalls.Open(file->Path, (file->Writable ? append : OpenFlags.ReadOnly) | OpenFlags.NoTerminal, 0x180);
            if (fd < 0)
                return false;
            // Descriptors below a wanted one are taken lowest first, so one may have landed where a later file belongs: keep it on exec
            // only where it was asked for.
            if (fd != file->Descriptor)
            {
                if (ForkCalls.Duplicate(fd, file->Descriptor) < 0)
                    return false;
                ForkCalls.Close(fd);
            }
        }
        return true;
    }

    private static bool BecomeUser(uint user, uint group)
    {
        if (group != uint.MaxValue)
        {
            // Without the privilege there are no further groups that could be dropped, or the next call fails anyway.
            ForkCalls.SystemCall(CallNumbers.SetGroups, 0, 0, 0, 0);
            if (ForkCalls.SystemCall(CallNumbers.SetGroup, group, 0, 0, 0) != 0)
                return false;
        }
        return user == uint.MaxValue || ForkCalls.SystemCall(CallNumbers.SetUser, user, 0, 0, 0) == 0;
    }

    /// <summary>When memory runs out the kernel ends a command, not the agent. Best effort: some kernels and users refuse.</summary>
    private static void PreferAsVictim(byte* file)
    {
        int fd = ForkCalls.Open(file, OpenFlags.WriteOnly | OpenFlags.CloseOnExec, 0);
        if (fd < 0)
            return;
        byte* score = stackalloc byte[KillOrderScoreLength] { (byte)'5', (byte)'0', (byte)'0' };
        ForkCalls.Write(fd, score, KillOrderScoreLength);
        ForkCalls.Close(fd);
    }

    private static bool WriteTo(byte* path, byte character)
    {
        int fd = ForkCalls.Open(path, OpenFlags.WriteOnly | OpenFlags.CloseOnExec, 0);
        if (fd < 0)
            return false;
        bool written = ForkCalls.Write(fd, &character, 1) == 1;
        int errno = *ForkCalls.ErrnoLocation();
        ForkCalls.Close(fd);
        *ForkCalls.ErrnoLocation() = errno;
        return written;
    }

    internal static void CloseFrom(int first)
    {
        if (ForkCalls.CloseRange((uint)first, uint.MaxValue, 0) == 0)
            return;
        for (int fd = first; fd < 4096; fd++)
            ForkCalls.Close(fd);
    }

    private static int Fail(SpawnPlan* plan, SpawnStage stage)
    {
        plan->FailedErrno = *ForkCalls.ErrnoLocation();
        plan->FailedStage = stage;
        ForkCalls.Exit(127);
        return 127;
    }
}
