using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>Standing still, by signals, and what is saved meanwhile: the directory with its files.</summary>
internal sealed partial class MockProvider
{
    private const string Saved = "root";

    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(10);

    public CheckpointContent Content => CheckpointContent.Files;

    public async Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (MockFolder folder, MockState state) = Living(id);
        var saved = new CheckpointFolder(host, Name, checkpoint);
        try
        {
            if (!folder.IsPaused)
                await StopAsync(folder, state, cancellation).ConfigureAwait(false);
            return await Task.Run(() => Save(folder, saved, cancellation), CancellationToken.None).ConfigureAwait(false);
        }
        catch (InvalidDataException cause)
        {
            throw new StacyVMException(ProblemKind.Conflict, $"sandbox {id} cannot be saved: {cause.Message}", cause);
        }
        finally
        {
            if (!folder.IsPaused)
                ProcessStop.Continue(MarkedProcesses.All(folder.Mark, state.Process));
        }
    }

    public async Task<ISandbox> RestoreAsync(string id, string checkpoint, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation) =>
        new CheckpointFolder(host, Name, checkpoint).Exists
            ? await BuildAsync(id, checkpoint, cancellation).ConfigureAwait(false)
            : throw new StacyVMException(ProblemKind.NotFound, $"the files of checkpoint {checkpoint} are not there");

    public Task<IReadOnlyList<string>> ListCheckpointsAsync(CancellationToken cancellation) => Task.FromResult(CheckpointFolder.List(host, Name));

    public Task RemoveCheckpointAsync(string checkpoint, CancellationToken cancellation) =>
        Task.Run(() => new CheckpointFolder(host, Name, checkpoint).Remove(), cancellation);

    public async Task PauseAsync(string id, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (MockFolder folder, MockState state) = Living(id);
        bool was = folder.IsPaused;
        folder.NotePause();
        try
        {
            await StopAsync(folder, state, cancellation).ConfigureAwait(false);
        }
        catch when (!was)
        {
            folder.ForgetPause();
            throw;
        }
    }

    public async Task ResumeAsync(string id, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (MockFolder folder, MockState state) = Living(id);
        folder.ForgetPause();
        ProcessStop.Continue(MarkedProcesses.All(folder.Mark, state.Process));
    }

    private (MockFolder Folder, MockState State) Living(string id)
    {
        var folder = new MockFolder(host, id);
        return folder.Read() is { IsAlive: true } state ? (folder, state) : throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id} has ended");
    }

    private static async Task StopAsync(MockFolder folder, MockState state, CancellationToken cancellation)
    {
        try
        {
            await ProcessStop.StopAsync(() => MarkedProcesses.All(folder.Mark, state.Process), StopBound, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException cause)
        {
            throw new StacyVMException(ProblemKind.Conflict, $"{cause.Message}; try again", cause);
        }
    }

    private static long Save(MockFolder folder, CheckpointFolder saved, CancellationToken cancellation)
    {
        try
        {
            saved.Begin();
            long bytes = TreeCopy.Copy(folder.Root, Path.Combine(saved.Draft, Saved), new TreeCopyRules(null, Privileged: false, long.MaxValue), cancellation);
            saved.Commit("{}"u8);
            return bytes;
        }
        catch
        {
            saved.Remove();
            throw;
        }
    }

    private void Fill(MockFolder folder, string checkpoint, CancellationToken cancellation)
    {
        TreeRemoval.Remove(folder.Root);
        TreeCopy.Copy(Path.Combine(new CheckpointFolder(host, Name, checkpoint).Path, Saved), folder.Root, new TreeCopyRules(null, Privileged: false, long.MaxValue), cancellation);
    }
}
