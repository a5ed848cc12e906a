using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>The descriptors of a start on their way: made before the fork, half of them the command's, half the agent's after it.</summary>
internal unsafe struct ProcessStreams
{
    private int _stdin = -1, _stdout = -1, _stderr = -1, _master = -1, _report = -1;
    private int _commandInput = -1, _commandOutput = -1, _commandError = -1, _commandReport = -1;

    public ProcessStreams()
    {
    }

    internal void Open(StartProcessRequest request, SpawnPlan* plan, int nothing)
    {
        if (plan->Terminal)
        {
            (_master, _commandOutput) = Terminal.Open(request.Columns, request.Rows, plan->User);
            plan->Input = plan->Output = plan->Error = _commandOutput;
            return;
        }
        if ((request.Flags & ProcessFlags.Stdin) != 0)
        {
            (_commandInput, _stdin) = Descriptor.Pipe();
            plan->Input = _commandInput;
        }
        else if (!IsGiven(request, 0))
        {
            plan->Input = nothing;
        }
        if (!IsGiven(request, 1))
            (_stdout, _commandOutput) = Descriptor.Pipe();
        if (!IsGiven(request, 2))
            (_stderr, _commandError) = Descriptor.Pipe();
        (plan->Output, plan->Error) = (_commandOutput, _commandError);
    }

    /// <summary>The supervisor's line to the agent.</summary>
    internal void OpenReport(SpawnPlan* plan)
    {
        (_report, _commandReport) = Descriptor.Pipe();
        plan->Report = _commandReport;
    }

    internal int TakeReport()
    {
        int report = _report;
        _report = -1;
        return report;
    }

    internal void CloseCommandEnds()
    {
        Descriptor.Close(ref _commandInput);
        Descriptor.Close(ref _commandOutput);
        Descriptor.Close(ref _commandError);
        Descriptor.Close(ref _commandReport);
    }

    /// <summary>Gives the agent's ends to those who read and write them from now on.</summary>
    internal void HandOver(EventLoop loop, SandboxProcess process, ITreeKeeper keeper)
    {
        OutputPipe? stdout = null, stderr = null;
        CommandInput? input = null;
        if (_master >= 0)
        {
            // Reading and writing are watched apart, so each has a descriptor of its own.
            int writing = Libc.Control(_master, ControlCommands.DuplicateCloseOnExec, 3);
            input = writing < 0 ? null : new CommandInput(loop, writing, terminal: true);
            stdout = new OutputPipe(loop, process, DataStream.Output, _master);
        }
        else
        {
            if (_stdin >= 0)
                input = new CommandInput(loop, _stdin, terminal: false);
            if (_stdout >= 0)
                stdout = new OutputPipe(loop, process, DataStream.Output, _stdout);
            if (_stderr >= 0)
                stderr = new OutputPipe(loop, process, DataStream.Error, _stderr);
        }
        process.Adopt(keeper, stdout, stderr, input, _master);
        _stdin = _stdout = _stderr = _master = -1;
    }

    internal void CloseAll()
    {
        CloseCommandEnds();
        Descriptor.Close(ref _stdin);
        Descriptor.Close(ref _stdout);
        Descriptor.Close(ref _stderr);
        Descriptor.Close(ref _master);
        Descriptor.Close(ref _report);
    }

    private static bool IsGiven(StartProcessRequest request, int descriptor)
    {
        foreach (InheritedFile file in request.Files)
            if (file.Descriptor == descriptor)
                return true;
        return false;
    }
}
