namespace StacyVM.Agent.Processes;

/// <summary>Knows what belongs to a process, and when nothing of it is left.</summary>
internal interface ITreeKeeper
{
    /// <summary>Begins to end all of it. False when nothing is left.</summary>
    bool Kill();
}
