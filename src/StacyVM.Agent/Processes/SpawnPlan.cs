using System.Runtime.InteropServices;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>Where the start of a command failed.</summary>
internal enum SpawnStage
{
    None = 0,
    Fork,
    Session,
    Terminal,
    Files,
    Cgroup,
    Limits,
    User,
    WorkingDirectory,
    Execute,
}

/// <summary>
/// All that a child needs between fork and exec, made before the fork: there it may not allocate, so it finds everything here. Lives in a
/// <see cref="NativeArena"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnPlan
{
    /// <summary>Paths to try in turn, ended by null: the program itself, or one for each directory of PATH.</summary>
    public byte** Candidates;

    public byte** Arguments;

    /// <summary>Two free places before the arguments' tail, to run a script without an interpreter line by the shell, as <c>execvp</c> does.</summary>
    public byte** ShellArguments;

    public byte* Shell;

    public byte** Environment;

    /// <summary>Of <see cref="OrphanMark"/>; 0 where none is needed.</summary>
    public long Mark;

    public byte* WorkingDirectory;

    public byte* OomScoreFile;

    public uint User;
    public uint Group;

    /// <summary>Descriptors that become 0, 1 and 2; all of them above 2.</summary>
    public int Input;
    public int Output;
    public int Error;

    /// <summary>The supervisor's line to the agent; -1 without a supervisor.</summary>
    public int Report;

    public bool Terminal;

    /// <summary>Inside a sandbox: the command may not gain privileges, and its working directory must be one that it could name.</summary>
    public bool Confined;

    public PlannedFile* Files;
    public int FileCount;
    public byte** Cgroups;
    public int CgroupCount;
    public PlannedLimit* Limits;
    public int LimitCount;

    /// <summary>Top of the stack that the child runs on while it shares the parent's memory.</summary>
    public byte* ChildStack;

    /// <summary>Where the child failed and why; written by the child, read by its parent.</summary>
    public SpawnStage FailedStage;
    public int FailedErrno;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PlannedFile
{
    public byte* Path;
    public int Descriptor;
    public bool Writable;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PlannedLimit
{
    public int Resource;
    public ulong Soft;
    public ulong Hard;
}
