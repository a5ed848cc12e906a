using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Files;

/// <summary>A piece of blocking work for one channel. Runs on a worker's thread.</summary>
internal interface IOperation
{
    /// <summary>Does the work; throws <see cref="OperationFailure"/> when it fails or the host gives up.</summary>
    void Run(WorkChannel work);
}
