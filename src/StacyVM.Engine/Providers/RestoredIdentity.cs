using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers;

/// <summary>
/// What tells one machine from another in the files of a restored root: its name, its addresses' names, its machine id. Whoever made these files may have put
/// anything in their place: all is written with that root as the root of everything, and what cannot be written there is left as it is.
/// </summary>
/// <param name="upper">What the saved sandbox had changed of its image.</param>
/// <param name="owner">Who is to own the files; null: the server's own user.</param>
internal sealed class RestoredIdentity(string upper, uint? owner)
{
    public void Renew(string id)
    {
        Write("etc/hostname", id + "\n");
        Write("etc/hosts", $"127.0.0.1 localhost {id}\n::1 localhost ip6-localhost {id}\n");
        Write("etc/machine-id", RandomNumberGenerator.GetHexString(32, lowercase: true) + "\n");
    }

    private void Write(string path, string content)
    {
        try
        {
            using var tree = new TreeWriter(upper);
            using FileStream file = tree.CreateFile(path, 0x1A4);
            file.Write(Encoding.ASCII.GetBytes(content));
            if (owner is { } user && Libc.ChangeOwnerOf(file.SafeFileHandle, user, user) != 0)
                throw new IOException($"cannot give {path} to user {user}: {Libc.LastError()}", Libc.Error);
        }
        catch (IOException cause) when (cause.HResult is not (Libc.ENOSPC or Libc.EDQUOT))
        {
            // It has removed or replaced the directory: then nobody reads the file there.
        }
    }
}
