namespace StacyVM.Engine.Store;

/// <summary>The rows of workers. Failures are those of <see cref="IStore"/>.</summary>
internal interface IWorkerStore
{
    /// <summary>Inserts a worker or renews it; when it came first stays as it was.</summary>
    Task SaveAsync(WorkerRow worker);

    /// <summary>Null when there is none of that id.</summary>
    Task<WorkerRow?> FindAsync(string id, CancellationToken cancellation);
}
