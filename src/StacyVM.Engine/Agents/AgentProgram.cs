using System.Security.Cryptography;

namespace StacyVM.Engine.Agents;

/// <summary>The agent's binary on disk. Each version has a name of its own, so an upgrade never touches a file that sandboxes are running.</summary>
internal static class AgentProgram
{
    private const string Prefix = "stacyvm-agent-";

    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>1 hash the content, 2 keep the file of that name when its content has that hash, 3 else write it aside and move it there.</summary>
    /// <remarks>Those of other versions go: a process that runs one, and a wall that has it bound, keep the file without its name.</remarks>
    /// <returns>Path of the program.</returns>
    public static async Task<string> UnpackAsync(string directory, Func<Stream> content, CancellationToken cancellation)
    {
        AgentHost.MakePassage(directory);
        string hash;
        await using (Stream source = content())
            hash = await HashAsync(source, cancellation).ConfigureAwait(false);
        string path = Path.Combine(directory, Prefix + hash[..16]);
        if (await IsIntactAsync(path, hash, cancellation).ConfigureAwait(false))
        {
            File.SetUnixFileMode(path, Executable);
            RemoveOthers(directory, path);
            return path;
        }
        string draft = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        try
        {
            await using (Stream source = content())
            await using (FileStream target = new(draft, FileMode.CreateNew, FileAccess.Write))
                await source.CopyToAsync(target, cancellation).ConfigureAwait(false);
            if (!await IsIntactAsync(draft, hash, cancellation).ConfigureAwait(false))
                throw new InvalidDataException("the agent's binary was not written as it was read; is the disk full or failing?");
            File.SetUnixFileMode(draft, Executable);
            File.Move(draft, path, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
        RemoveOthers(directory, path);
        return path;
    }

    private static void RemoveOthers(string directory, string current)
    {
        foreach (string path in Directory.EnumerateFiles(directory, Prefix + "*"))
        {
            if (path != current)
                File.Delete(path);
        }
    }

    private static async Task<bool> IsIntactAsync(string path, string hash, CancellationToken cancellation)
    {
        if (!File.Exists(path))
            return false;
        await using FileStream file = File.OpenRead(path);
        return await HashAsync(file, cancellation).ConfigureAwait(false) == hash;
    }

    private static async Task<string> HashAsync(Stream content, CancellationToken cancellation) =>
        Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation).ConfigureAwait(false));
}
