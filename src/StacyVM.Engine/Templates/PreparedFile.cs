namespace StacyVM.Engine.Templates;

/// <summary>A file that a template puts into a sandbox.</summary>
/// <param name="Path">Absolute, in the sandbox.</param>
/// <param name="Content">Its bytes; may be a secret.</param>
/// <param name="Mode">Permission bits.</param>
internal sealed record PreparedFile(string Path, byte[] Content, uint Mode)
{
    /// <summary>rw-r--r--</summary>
    public const uint Readable = 0x1A4;

    /// <summary>rw-------</summary>
    public const uint OwnerOnly = 0x180;

    public override string ToString() => Path;
}
