using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>
/// Machines that have been started once and saved before they became anybody: what takes seconds in a start is then read from a file. One for each
/// image, size, kernel, agent and monitor; the ones used last are kept.
/// </summary>
/// <param name="directory">Of all of them.</param>
internal sealed class BootTemplates(string directory)
{
    private const int Kept = 8;

    private readonly TurnTaking _turns = new();

    /// <summary>Only one caller at a time works on the same template: who waits for its making is faster than who makes another.</summary>
    public Task<IDisposable> TakeTurnAsync(string key, CancellationToken cancellation) => _turns.TakeAsync(key, cancellation);

    /// <summary>What a template is for. Layers and owner make the disk; that is all a machine has seen of its image.</summary>
    public static string KeyOf(MachineSetup setup, StoredImage image, GuestProfile guest, SandboxSpec spec) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{setup.Compatibility}\n{string.Join(',', image.Layers)}\n{guest.User}:{guest.Group}\n{spec.MemoryMb} {spec.Vcpus} {spec.DiskMb}"))).AsSpan(0, 16));

    /// <summary>A whole one, noted as used now; null when there is none.</summary>
    public SavedFolder? Find(string key)
    {
        SavedFolder folder = Of(key);
        if (folder.Read() is null)
            return null;
        try
        {
            Directory.SetLastWriteTimeUtc(folder.Path, DateTime.UtcNow);
        }
        catch (IOException)
        {
            return null;
        }
        return folder;
    }

    public SavedFolder Of(string key) => new(Path.Combine(directory, key));

    /// <summary>Saves a machine that nobody is yet and that stands still.</summary>
    public async Task SaveAsync(string key, MachineSetup setup, MachineFolder machine, MachineState state, CancellationToken cancellation)
    {
        AgentHost.MakePassage(directory);
        SavedFolder folder = Of(key);
        folder.Begin();
        try
        {
            await setup.Monitor.SaveAsync(machine, folder.DraftState, cancellation).ConfigureAwait(false);
            await Task.Run(() => SparseCopy.Copy(machine.Disk, folder.DraftDisk, cancellation), cancellation).ConfigureAwait(false);
            folder.Complete(SavedMachine.Of(state, setup.Compatibility, ""));
        }
        catch
        {
            folder.Remove();
            throw;
        }
        Trim();
    }

    private void Trim()
    {
        IEnumerable<DirectoryInfo> old = new DirectoryInfo(directory).EnumerateDirectories().OrderByDescending(one => one.LastWriteTimeUtc).Skip(Kept);
        foreach (DirectoryInfo one in old.ToList())
            Of(SavedFolder.IdOf(one.Name)).Remove();
    }
}
